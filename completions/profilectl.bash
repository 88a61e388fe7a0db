# bash completion for profilectl, made by `profilectl completion bash`

# Set what may follow a command. Behind the = of an option, and for an argument, stands what it takes: @path, @plan,
# @text, the words to choose from, or the names to ask the program for: @agents, @brands, @profiles,
# @customers.
_profilectl_know() {
    commands='' options='' arguments=''
    local shared='--roster=@path --brand=@brands --sandbox --credentials-file=@path --json --quiet -q --verbose -v --no-input --timeout=@text --help'
    case $1 in
        'profilectl')
            commands='demo init diff sync send thread inbox preview offboard recover doctor completion roster feedback profiles ledger audit auth sandbox'
            options="$shared --version"
            ;;
        'profilectl demo')
            options="$shared"
            ;;
        'profilectl init')
            options="$shared --handle=@text --language=@text --timezone=@text --csv=@path --map=@text --photos=@path --from-live --yes"
            ;;
        'profilectl diff')
            options="$shared --exit-code --out=@path --format=table,json,markdown,html --agent=@agents --label=@text -l=@text --allow-deletes=@text --allow-lost=@text --prune-now --verify-avatars --except=@text --picture-base=@text"
            ;;
        'profilectl sync')
            options="$shared --yes --plan=@plan --expect=@text --agent=@agents --label=@text -l=@text --allow-deletes=@text --allow-lost=@text --prune-now --verify-avatars --jobs=@text --max-wait=@text --new-ledger"
            ;;
        'profilectl send')
            options="$shared --to=@customers --as=@agents --file=@path --edit --media=@path --quick-reply=@text --cta=@text --typing --ask=csat,nps --key=@text --human-wrote-this --allow-private --yes --dry-run"
            arguments='@text'
            ;;
        'profilectl thread')
            options="$shared --limit=@text --pages=@text"
            arguments='@customers'
            ;;
        'profilectl inbox')
            options="$shared --waiting --pages=@text"
            ;;
        'profilectl preview')
            options="$shared --text=@text --html=@path --sheet=@path --label=@text -l=@text"
            arguments='@agents'
            ;;
        'profilectl offboard')
            options="$shared --yes --undo"
            arguments='@agents'
            ;;
        'profilectl recover')
            options="$shared --yes"
            ;;
        'profilectl doctor')
            options="$shared --wait=@text --face-check --to=@customers --as=@agents"
            ;;
        'profilectl completion')
            options="$shared"
            arguments='bash,zsh,fish,powershell'
            ;;
        'profilectl roster')
            commands='check list show add set remove rename fmt import export pull'
            options='--help'
            ;;
        'profilectl roster check')
            options="$shared --compliance --strict --format=text,json,github,sarif"
            ;;
        'profilectl roster list')
            options="$shared --agent=@agents --label=@text -l=@text"
            ;;
        'profilectl roster show')
            options="$shared --explain"
            arguments='@agents'
            ;;
        'profilectl roster add')
            options="$shared --name=@text --avatar=@text --photo=@path --kind=@text --first=@text --last=@text --title=@text --operators=@text --from=@text --until=@text --label=@text"
            arguments='@text @text'
            ;;
        'profilectl roster set')
            options="$shared --unset=@text --photo=@path"
            arguments='@agents @text'
            ;;
        'profilectl roster remove')
            options="$shared"
            arguments='@agents'
            ;;
        'profilectl roster rename')
            options="$shared"
            arguments='@agents @text'
            ;;
        'profilectl roster fmt')
            options="$shared --check"
            ;;
        'profilectl roster import')
            options="$shared --map=@text --photos=@path --dry-run --remove-missing --max-deletes=@text"
            arguments='@path'
            ;;
        'profilectl roster export')
            options="$shared --format=@text --legal-names --agent=@agents --label=@text -l=@text"
            ;;
        'profilectl roster pull')
            options="$shared --dry-run --max-deletes=@text --yes"
            arguments='@text'
            ;;
        'profilectl feedback')
            commands='report'
            options='--help'
            ;;
        'profilectl feedback report')
            options="$shared --since=@text --until=@text"
            ;;
        'profilectl profiles')
            commands='list adopt forget destroy'
            options='--help'
            ;;
        'profilectl profiles list')
            options="$shared"
            ;;
        'profilectl profiles adopt')
            options="$shared --yes"
            arguments='@agents @profiles'
            ;;
        'profilectl profiles forget')
            options="$shared --yes"
            arguments='@agents'
            ;;
        'profilectl profiles destroy')
            options="$shared --yes"
            arguments='@profiles'
            ;;
        'profilectl ledger')
            commands='show export import backup migrate unlock accept-restore grants'
            options='--help'
            ;;
        'profilectl ledger show')
            options="$shared"
            ;;
        'profilectl ledger export')
            options="$shared --force"
            arguments='@path'
            ;;
        'profilectl ledger import')
            options="$shared"
            arguments='@text'
            ;;
        'profilectl ledger backup')
            options="$shared --force"
            arguments='@path'
            ;;
        'profilectl ledger migrate')
            options="$shared --yes"
            arguments='@text'
            ;;
        'profilectl ledger unlock')
            options="$shared --yes"
            ;;
        'profilectl ledger accept-restore')
            options="$shared --yes"
            ;;
        'profilectl ledger grants')
            options="$shared --admin=@text --agent=@text --reader=@text --schema=@text"
            ;;
        'profilectl audit')
            commands='log who sent verify checkpoint reconcile export prune'
            options='--help'
            ;;
        'profilectl audit log')
            options="$shared --agent=@agents --actor=@text --since=@text --until=@text --event=@text --to=@text --csv"
            ;;
        'profilectl audit who')
            options="$shared --at=@text"
            arguments='@text'
            ;;
        'profilectl audit sent')
            options="$shared --as=@agents --actor=@text --to=@text --since=@text --until=@text --csv"
            ;;
        'profilectl audit verify')
            options="$shared --against=@text --accept-break --yes"
            ;;
        'profilectl audit checkpoint')
            options="$shared --make-key"
            ;;
        'profilectl audit reconcile')
            options="$shared --days=@text"
            ;;
        'profilectl audit export')
            options="$shared --since=@text --until=@text --force"
            arguments='@path'
            ;;
        'profilectl audit prune')
            options="$shared --before=@text --yes"
            ;;
        'profilectl auth')
            commands='login import status list default logout'
            options='--help'
            ;;
        'profilectl auth login')
            options="$shared --handle=@text --with-token --pin"
            ;;
        'profilectl auth import')
            options="$shared --account=@text --from=@path --list"
            ;;
        'profilectl auth status')
            options="$shared"
            ;;
        'profilectl auth list')
            options="$shared"
            ;;
        'profilectl auth default')
            options="$shared --clear"
            arguments='@brands'
            ;;
        'profilectl auth logout')
            options="$shared --handle=@text --revoke"
            ;;
        'profilectl sandbox')
            commands='serve reset faults'
            options='--help'
            ;;
        'profilectl sandbox serve')
            options="$shared --port=@text --handle=@text --world=@path --generous --not-allowlisted --no-feedback --trouble=@text --seed=@text"
            ;;
        'profilectl sandbox reset')
            options="$shared --url=@text"
            ;;
        'profilectl sandbox faults')
            options="$shared --clear --url=@text"
            arguments='@text'
            ;;
    esac
}

# Set `value` to what an option takes; fails for a flag and for an unknown option.
_profilectl_takes() {
    local option
    for option in $options; do
        if [[ $option == "$1="* ]]; then
            value=${option#*=}
            return 0
        fi
    done
    return 1
}

# Set `words` to the words up to the cursor, joined again where bash broke them at = and :
_profilectl_read_words() {
    local line=${COMP_LINE:0:COMP_POINT} word gap i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        gap=${line%%[![:space:]]*}
        line=${line#"$gap"}
        word=${COMP_WORDS[i]}
        ((i < COMP_CWORD)) || word=$line
        if ((i == 0)) || [[ -n $gap ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
        line=${line#"$word"}
    done
}

# Set `bare` to a word as the shell would read it, but for the values of variables.
_profilectl_bare() {
    local quote='' char i
    bare=$1
    if [[ $1 == *[\'\"\\]* ]]; then
        bare=''
        for ((i = 0; i < ${#1}; i++)); do
            char=${1:i:1}
            if [[ $char == \\ && $quote != "'" ]]; then
                ((i += 1))
                bare+=${1:i:1}
            elif [[ -z $quote && $char == [\'\"] ]]; then
                quote=$char
            elif [[ $char == "$quote" ]]; then
                quote=''
            else
                bare+=$char
            fi
        done
    fi
    [[ $1 != '~/'* ]] || bare=$HOME/${bare:2}
}

# Offer the names of kind $1 that begin with $2, as the program on the line knows them.
_profilectl_offer_names() {
    local bare program word name description before=()
    _profilectl_bare "${words[0]}"
    program=$(type -P -- "$bare") || return
    for word in "${words[@]:1:${#words[@]} - 2}"; do
        _profilectl_bare "$word"
        before+=("$bare")
    done
    while IFS=$'\t' read -r name description; do
        [[ -z $name || $name != "$2"* ]] || COMPREPLY+=("$name")
    done <<<"$("$program" __complete "$1" "${before[@]}" 2>/dev/null </dev/null)"
}

# Offer saved plans, and folders that may hold some.
_profilectl_offer_plans() {
    local bare file
    _profilectl_bare "$1"
    compopt -o filenames 2>/dev/null # readline quotes them, and knows which ones are folders
    while IFS= read -r file; do
        [[ -z $file ]] || COMPREPLY+=("$file")
    done <<<"$(compgen -d -- "$bare"; compgen -f -X '!*.json' -- "$bare")"
}

# Offer what $1 says, as far as it begins with $2.
_profilectl_offer() {
    case $1 in
        @path) compopt -o default 2>/dev/null ;; # readline knows about ~, quotes and folders
        @plan) _profilectl_offer_plans "$2" ;;
        @text) ;;
        @*) _profilectl_offer_names "${1#@}" "$2" ;;
        *) COMPREPLY=($(compgen -W "${1//,/ }" -- "$2")) ;;
    esac
}

_profilectl() {
    local IFS=$' \t\n' words=() commands options arguments value='' name=profilectl place=0 plain='' word
    _profilectl_read_words
    local current=${words[${#words[@]} - 1]}
    _profilectl_know "$name"
    for word in "${words[@]:1:${#words[@]} - 2}"; do
        if [[ -n $value ]]; then
            value=''
        elif [[ -z $plain && $word == -- ]]; then
            plain=yes
        elif [[ -z $plain && $word == -?* ]]; then
            _profilectl_takes "$word"
        elif [[ " $commands " == *" $word "* ]]; then
            name+=" $word"
            _profilectl_know "$name"
        else
            ((place += 1))
        fi
    done

    COMPREPLY=()
    if [[ ${COMP_WORDS[COMP_CWORD - 1]} == *[\<\>] ]]; then
        _profilectl_offer @path
    elif [[ -n $value ]]; then
        _profilectl_offer "$value" "$current"
    elif [[ -z $plain && $current == --*=* ]]; then
        _profilectl_takes "${current%%=*}" || return
        _profilectl_offer "$value" "${current#*=}"
        # Where = doesn't break words, the whole word is going to be replaced.
        [[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=("${COMPREPLY[@]/#/${current%%=*}=}")
    elif [[ -z $plain && $current == -* ]]; then
        for word in $options; do
            [[ ${word%%=*} != "$current"* ]] || COMPREPLY+=("${word%%=*}")
        done
    elif [[ -n $commands ]]; then
        _profilectl_offer "$commands" "$current"
    else
        arguments=($arguments)
        _profilectl_offer "${arguments[place]:-@text}" "$current"
    fi
}

complete -F _profilectl profilectl
