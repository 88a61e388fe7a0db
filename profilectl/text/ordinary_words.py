# ruff: noqa: RUF001 - Cyrillic letters are meant
"""Words of everyday language that are family names as well, and the titles that stand before a name.

Of the languages of Europe and East Asia, by their most frequent family names; more may be added.
"""

from __future__ import annotations

from functools import cache

from profilectl.text.word_matching import Words

_ORDINARY = """
a able again ak aker all als alt alto amor an and archer as ash ask aslan au aux aydin bach back bacon bad baker bakke
bakker ball banks bar barber barn bas bauer baum bay beach bean bear beau bel beli bell belle bello bend berg best
better bianchi bianco big bij bill bily bird bis bishop bjork black blanc blond blood bloom blue blum boer bois bolt
bon bond book booth border borg bos boucher boulanger bowl boy brand braun bravo bridge bright brook brown brun bruno
bull buono bush butcher butler cage calma camp campo can cannon card caro carpenter cart casa case cash castle castro
cerny chamber chance chase chico chu church clair clay clear cliff close coach coffee coin cold cole collar comfort
content cook cool corner cost costa court cousin cover cow crane cross crow cruise cruz crystal da daal dal dance dang
dank day de deal dear deer delgado demir den des dijk dinh do dobry dolce doux dove down drei drew driver droit drum
du duke duong dur eagle early east easy eis ek else en ende er ever fabbri fabre fair faith fall farmer fast faure
feld feliz ferme ferro fest field fin fine fiore fire fish fisher fjell flood flower fly fonte ford forest fort forte
fox franco free freed freeman frei freitag friend frost fuchs fuentes fuller gallo gans ganz gates gato gay gentil
gern gift glass go god gold good grace gran grand grande grant gras grass gray great green groot gros gross grove grow
guard guerra guest gul gun gut ha haan haas hag hahn hall ham hand hands handy hard harper hart hash haus hawk head
heart heiss held hell herbst herr hide high hill hirsch hiver ho hoch hof hold home honey hood hoog hook hope horn
house how hu huang hui hung hunt hunter hurt in iron island it ivory jack jak jay jeune jewel jin joli jong jour joy
judge jung just kaiser kalt kang kara kaya keen keep key keys khan kim kind king klein kluge knecht knight koc koch
kok konig kopf kort krank krause krieg kurz la lake lam lamb land lane lang lange large last law le leader leaf leal
lee legal leicht lent leon li licht lieb like lily lin lind ling little lo lobo lock long longo lot love low lu luck
lucky luna lune lung luz ly ma mai mail maio major make mal maly man mar march marchand marino mark marks marsh martin
mason master may mayor mead mean meer mendes mercier mercy meunier mil mill miller min mind mine ming mint miss mlady
mo mon monday monde montag monte moon moore more moreno morgen most moulin mountain mulder muller my na nacht nam neri
neu neumann neveu new ngo nice nieto night no noble noel noir noon north not nouveau novak novo now nowak nurse ny oak
ober of oh old on one or ou oud ours page pain paint pan par park parks parson part past paz peace pear pena pepper
perfetto petit pham phan piano pinto piper pires pitt place plain plumber po poco pond pont pool poor pope porter post
potter poulet pound power prado premier price pride priest prieto prince proper purse quan queen quick rain ram ramos
range rare read real reyes ricci rich rico ring rios rivers road rocha rock roi romano roof rosa rose rosso rot roux
rubio ruhig rule sad sage sala salas sale salt sample samstag san sand santo santos sante sauer savage say schade
scharf schatz schmal schmidt schnee schneider schnell schon schreiber schuster schwarz seal see self sell serra seul
shade sharp she shell shen shepherd ship shore short si silva silver simple singer skinner skog small smart smit smith
snel snow so sol soler sommer son song sonntag soon sosa south spark speaker spear speed spencer spring star stark
stary steel stein stern still stock stone stor storm story strand strange street strom strong such summer sun sund
sure svoboda swan sweet swift ta tag tall tan tard taylor teller terra teuer thorn tide to toro torre torres tout tres
trice true tu turn turner tyler underwood upton valle van vega verde vert vesely via vidal vieux vif vik visser vite
vo vogel voll vos vries vrij vu wade wagner wait wald walker wall wan wang war ward wasser water waters way we weaver
webb weber week wein weiss well wells wenig west wheeler white wild will wills winter wirt wise wish wolf wolke woo
wood woods worth wright xi yan yang ye yes yi you young yu zee zeit zima zimmer zwart
белый бойко весна волк гора добрый долг друг зима король кот лев левый малый мороз новый осень отец правый рано снег
соль старый сыч тихий толстой утро хлеб холод чёрный широкий
"""
_TITLES = """
bay bayan dhr doctor don dona dr fr frau fraulein froken fru gospodin gospodja herr herrn hr m madam madame
mademoiselle meneer mevr mevrouw miss mlle mme monsieur mr mrs ms mx pan pani prof professor senor senora senorita sig
signor signora signorina sir sr sra srta
г-жа г-н господин госпожа пан пані
"""


@cache
def ordinary_words() -> frozenset[str]:
    """Return the words that name somebody only beside a given name or after a title, cut and folded as `Words` does."""
    return frozenset(Words(_ORDINARY).list)


@cache
def titles() -> frozenset[str]:
    """Return the words that stand before a family name, likewise."""
    return frozenset(Words(_TITLES).list)
