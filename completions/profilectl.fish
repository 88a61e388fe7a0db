# fish completion for profilectl, made by `profilectl completion fish`

# Succeed when an option of a command takes a value: COMMAND OPTION
function __profilectl_takes
    switch $argv[1]
        case profilectl
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/demo
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/init
            contains -- $argv[2] --handle --language --timezone --csv --map --photos --roster --brand --credentials-file --timeout
        case profilectl/diff
            contains -- $argv[2] --out --format --agent --label -l --allow-deletes --allow-lost --except --picture-base --roster --brand --credentials-file --timeout
        case profilectl/sync
            contains -- $argv[2] --plan --expect --agent --label -l --allow-deletes --allow-lost --jobs --max-wait --roster --brand --credentials-file --timeout
        case profilectl/send
            contains -- $argv[2] --to --as --file --media --quick-reply --cta --ask --key --roster --brand --credentials-file --timeout
        case profilectl/thread
            contains -- $argv[2] --limit --pages --roster --brand --credentials-file --timeout
        case profilectl/inbox
            contains -- $argv[2] --pages --roster --brand --credentials-file --timeout
        case profilectl/preview
            contains -- $argv[2] --text --html --sheet --label -l --roster --brand --credentials-file --timeout
        case profilectl/offboard
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/recover
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/doctor
            contains -- $argv[2] --wait --to --as --roster --brand --credentials-file --timeout
        case profilectl/completion
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/roster/check
            contains -- $argv[2] --format --roster --brand --credentials-file --timeout
        case profilectl/roster/list
            contains -- $argv[2] --agent --label -l --roster --brand --credentials-file --timeout
        case profilectl/roster/show
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/roster/add
            contains -- $argv[2] --name --avatar --photo --kind --first --last --title --operators --from --until --label --roster --brand --credentials-file --timeout
        case profilectl/roster/set
            contains -- $argv[2] --unset --photo --roster --brand --credentials-file --timeout
        case profilectl/roster/remove
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/roster/rename
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/roster/fmt
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/roster/import
            contains -- $argv[2] --map --photos --max-deletes --roster --brand --credentials-file --timeout
        case profilectl/roster/export
            contains -- $argv[2] --format --agent --label -l --roster --brand --credentials-file --timeout
        case profilectl/roster/pull
            contains -- $argv[2] --max-deletes --roster --brand --credentials-file --timeout
        case profilectl/feedback/report
            contains -- $argv[2] --since --until --roster --brand --credentials-file --timeout
        case profilectl/profiles/list
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/profiles/adopt
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/profiles/forget
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/profiles/destroy
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/ledger/show
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/ledger/export
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/ledger/import
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/ledger/backup
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/ledger/migrate
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/ledger/unlock
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/ledger/accept-restore
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/ledger/grants
            contains -- $argv[2] --admin --agent --reader --schema --roster --brand --credentials-file --timeout
        case profilectl/audit/log
            contains -- $argv[2] --agent --actor --since --until --event --to --roster --brand --credentials-file --timeout
        case profilectl/audit/who
            contains -- $argv[2] --at --roster --brand --credentials-file --timeout
        case profilectl/audit/sent
            contains -- $argv[2] --as --actor --to --since --until --roster --brand --credentials-file --timeout
        case profilectl/audit/verify
            contains -- $argv[2] --against --roster --brand --credentials-file --timeout
        case profilectl/audit/checkpoint
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/audit/reconcile
            contains -- $argv[2] --days --roster --brand --credentials-file --timeout
        case profilectl/audit/export
            contains -- $argv[2] --since --until --roster --brand --credentials-file --timeout
        case profilectl/audit/prune
            contains -- $argv[2] --before --roster --brand --credentials-file --timeout
        case profilectl/auth/login
            contains -- $argv[2] --handle --roster --brand --credentials-file --timeout
        case profilectl/auth/import
            contains -- $argv[2] --account --from --roster --brand --credentials-file --timeout
        case profilectl/auth/status
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/auth/list
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/auth/default
            contains -- $argv[2] --roster --brand --credentials-file --timeout
        case profilectl/auth/logout
            contains -- $argv[2] --handle --roster --brand --credentials-file --timeout
        case profilectl/sandbox/serve
            contains -- $argv[2] --port --handle --world --trouble --seed --roster --brand --credentials-file --timeout
        case profilectl/sandbox/reset
            contains -- $argv[2] --url --roster --brand --credentials-file --timeout
        case profilectl/sandbox/faults
            contains -- $argv[2] --url --roster --brand --credentials-file --timeout
        case '*'
            return 1
    end
end

# Print the command that stands before the cursor, then the arguments it was given.
function __profilectl_line
    set -l name profilectl
    set -l given
    set -l skips no
    set -l plain no
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if test $skips = yes
            set skips no
        else if test $plain = no -a "$word" = --
            set plain yes
        else if test $plain = no; and string match -qr -- '^-.' "$word"
            __profilectl_takes $name $word; and set skips yes
        else if contains -- "$name/$word" $__profilectl_commands
            set name $name/$word
        else
            set -a given "$word"
        end
    end
    printf '%s\n' $name $given
end

# Print the names of a kind, as the program on the line knows them: agents, brands, profiles or customers.
function __profilectl_names
    set -l words (commandline -opc)
    set -l program (command -s -- (string replace -r -- '^~/' "$HOME/" $words[1])); or return
    $program __complete $argv[1] $words[2..-1] 2>/dev/null </dev/null
end

# Print saved plans, and folders that may hold some.
function __profilectl_plans
    set -l start (commandline -ct | string replace -r -- '^--plan=' '')
    complete -C "'' $start" | string match -r -- '^.*(?:\.json|/)(?:\t.*)?$'
end

# Succeed when the cursor is behind one of these commands: COMMAND...
function __profilectl_on
    set -l line (__profilectl_line)
    contains -- $line[1] $argv
end

# Succeed when the cursor is at an argument of a command: COMMAND PLACE
function __profilectl_at
    set -l line (__profilectl_line)
    test $line[1] = $argv[1] -a (count $line) -eq $argv[2]
end

set -g __profilectl_commands \
    profilectl \
    profilectl/demo \
    profilectl/init \
    profilectl/diff \
    profilectl/sync \
    profilectl/send \
    profilectl/thread \
    profilectl/inbox \
    profilectl/preview \
    profilectl/offboard \
    profilectl/recover \
    profilectl/doctor \
    profilectl/completion \
    profilectl/roster \
    profilectl/roster/check \
    profilectl/roster/list \
    profilectl/roster/show \
    profilectl/roster/add \
    profilectl/roster/set \
    profilectl/roster/remove \
    profilectl/roster/rename \
    profilectl/roster/fmt \
    profilectl/roster/import \
    profilectl/roster/export \
    profilectl/roster/pull \
    profilectl/feedback \
    profilectl/feedback/report \
    profilectl/profiles \
    profilectl/profiles/list \
    profilectl/profiles/adopt \
    profilectl/profiles/forget \
    profilectl/profiles/destroy \
    profilectl/ledger \
    profilectl/ledger/show \
    profilectl/ledger/export \
    profilectl/ledger/import \
    profilectl/ledger/backup \
    profilectl/ledger/migrate \
    profilectl/ledger/unlock \
    profilectl/ledger/accept-restore \
    profilectl/ledger/grants \
    profilectl/audit \
    profilectl/audit/log \
    profilectl/audit/who \
    profilectl/audit/sent \
    profilectl/audit/verify \
    profilectl/audit/checkpoint \
    profilectl/audit/reconcile \
    profilectl/audit/export \
    profilectl/audit/prune \
    profilectl/auth \
    profilectl/auth/login \
    profilectl/auth/import \
    profilectl/auth/status \
    profilectl/auth/list \
    profilectl/auth/default \
    profilectl/auth/logout \
    profilectl/sandbox \
    profilectl/sandbox/serve \
    profilectl/sandbox/reset \
    profilectl/sandbox/faults
set -g __profilectl_sharers \
    profilectl \
    profilectl/demo \
    profilectl/init \
    profilectl/diff \
    profilectl/sync \
    profilectl/send \
    profilectl/thread \
    profilectl/inbox \
    profilectl/preview \
    profilectl/offboard \
    profilectl/recover \
    profilectl/doctor \
    profilectl/completion \
    profilectl/roster/check \
    profilectl/roster/list \
    profilectl/roster/show \
    profilectl/roster/add \
    profilectl/roster/set \
    profilectl/roster/remove \
    profilectl/roster/rename \
    profilectl/roster/fmt \
    profilectl/roster/import \
    profilectl/roster/export \
    profilectl/roster/pull \
    profilectl/feedback/report \
    profilectl/profiles/list \
    profilectl/profiles/adopt \
    profilectl/profiles/forget \
    profilectl/profiles/destroy \
    profilectl/ledger/show \
    profilectl/ledger/export \
    profilectl/ledger/import \
    profilectl/ledger/backup \
    profilectl/ledger/migrate \
    profilectl/ledger/unlock \
    profilectl/ledger/accept-restore \
    profilectl/ledger/grants \
    profilectl/audit/log \
    profilectl/audit/who \
    profilectl/audit/sent \
    profilectl/audit/verify \
    profilectl/audit/checkpoint \
    profilectl/audit/reconcile \
    profilectl/audit/export \
    profilectl/audit/prune \
    profilectl/auth/login \
    profilectl/auth/import \
    profilectl/auth/status \
    profilectl/auth/list \
    profilectl/auth/default \
    profilectl/auth/logout \
    profilectl/sandbox/serve \
    profilectl/sandbox/reset \
    profilectl/sandbox/faults

complete -c profilectl -f
complete -c profilectl -n '__profilectl_on $__profilectl_sharers' -l roster -r -F -d 'The roster; else ./roster.toml'
complete -c profilectl -n '__profilectl_on $__profilectl_sharers' -l brand -r -f -a '(__profilectl_names brands)' -d 'Only this brand; repeatable'
complete -c profilectl -n '__profilectl_on $__profilectl_sharers' -l sandbox -d 'Use the local X, with its own credentials and ledger'
complete -c profilectl -n '__profilectl_on $__profilectl_sharers' -l credentials-file -r -F -d 'Credentials as JSON; - for stdin'
complete -c profilectl -n '__profilectl_on $__profilectl_sharers' -l json -d 'Print one JSON document'
complete -c profilectl -n '__profilectl_on $__profilectl_sharers' -l quiet -s q -d 'Only results: nothing when nothing changed'
complete -c profilectl -n '__profilectl_on $__profilectl_sharers' -l verbose -s v -d 'Tell about every call'
complete -c profilectl -n '__profilectl_on $__profilectl_sharers' -l no-input -d 'Never ask'
complete -c profilectl -n '__profilectl_on $__profilectl_sharers' -l timeout -r -f -d 'Give up after this long'
complete -c profilectl -n '__profilectl_on $__profilectl_sharers' -l help -d 'Show this message and exit'

complete -c profilectl -n '__profilectl_on profilectl' -a demo -d 'Show the whole job on a local X'
complete -c profilectl -n '__profilectl_on profilectl' -a init -d 'Write a starter roster with pictures'
complete -c profilectl -n '__profilectl_on profilectl' -a diff -d 'Show what sync would do'
complete -c profilectl -n '__profilectl_on profilectl' -a sync -d 'Make X equal to the roster'
complete -c profilectl -n '__profilectl_on profilectl' -a send -d 'Send one Direct Message as an agent'
complete -c profilectl -n '__profilectl_on profilectl' -a thread -d 'Show the conversation with a customer'
complete -c profilectl -n '__profilectl_on profilectl' -a inbox -d 'Show who wrote, when, and whether they were answered'
complete -c profilectl -n '__profilectl_on profilectl' -a preview -d 'Show what customers will see: bubble, name and picture'
complete -c profilectl -n '__profilectl_on profilectl' -a offboard -d 'Block sending as an agent at once, and destroy its faces'
complete -c profilectl -n '__profilectl_on profilectl' -a recover -d 'Rebuild a lost ledger from the profiles at X'
complete -c profilectl -n '__profilectl_on profilectl' -a doctor -d 'Tell what works, what doesn\'t, and what to do'
complete -c profilectl -n '__profilectl_on profilectl' -a completion -d 'Print the completion script of a shell'
complete -c profilectl -n '__profilectl_on profilectl' -a roster -d 'The roster file: who your agents are'
complete -c profilectl -n '__profilectl_on profilectl' -a feedback -d 'What customers answer on feedback cards'
complete -c profilectl -n '__profilectl_on profilectl' -a profiles -d 'The profiles at X: ours, retired, strangers'
complete -c profilectl -n '__profilectl_on profilectl' -a ledger -d 'The ledger itself: look, copy, move, mend'
complete -c profilectl -n '__profilectl_on profilectl' -a audit -d 'The record: who changed and sent what, as whom'
complete -c profilectl -n '__profilectl_on profilectl' -a auth -d 'Credentials: which accounts profilectl can speak for'
complete -c profilectl -n '__profilectl_on profilectl' -a sandbox -d 'The local X: a server with pages, and trouble on order'
complete -c profilectl -n '__profilectl_on profilectl' -l version -d 'Print the version'

complete -c profilectl -n '__profilectl_on profilectl/init' -l handle -r -f -d 'Your brand\'s X account; else a stand-in'
complete -c profilectl -n '__profilectl_on profilectl/init' -l language -r -f -d 'Which language its customers read; else en'
complete -c profilectl -n '__profilectl_on profilectl/init' -l timezone -r -f -d 'Where days begin and end; else UTC'
complete -c profilectl -n '__profilectl_on profilectl/init' -l csv -r -F -d 'Your people: CSV, or JSON lines'
complete -c profilectl -n '__profilectl_on profilectl/init' -l map -r -f -d 'Which column is which field'
complete -c profilectl -n '__profilectl_on profilectl/init' -l photos -r -F -d 'Pictures, called by key, e-mail address or name'
complete -c profilectl -n '__profilectl_on profilectl/init' -l from-live -d 'Take the profiles that X has as agents'
complete -c profilectl -n '__profilectl_on profilectl/init' -l yes -d 'Ask nothing'

complete -c profilectl -n '__profilectl_on profilectl/diff' -l exit-code -d 'Exit 3 when anything differs'
complete -c profilectl -n '__profilectl_on profilectl/diff' -l out -r -F -d 'Save the plan, too, for `sync --plan`'
complete -c profilectl -n '__profilectl_on profilectl/diff' -l format -r -f -a 'table json markdown html' -d 'How to show it; else a table, and plain lines in a pipe'
complete -c profilectl -n '__profilectl_on profilectl/diff' -l agent -r -f -a '(__profilectl_names agents)' -d 'Only this agent; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/diff' -l label -s l -r -f -d 'Only agents with all these, such as team=night,kind=bot'
complete -c profilectl -n '__profilectl_on profilectl/diff' -l allow-deletes -r -f -d 'Agree to N deletions per brand'
complete -c profilectl -n '__profilectl_on profilectl/diff' -l allow-lost -r -f -d 'Agree to re-create up to N lost profiles of each brand'
complete -c profilectl -n '__profilectl_on profilectl/diff' -l prune-now -d 'Destroy replaced profiles without waiting'
complete -c profilectl -n '__profilectl_on profilectl/diff' -l verify-avatars -d 'Compare the live pictures, too'
complete -c profilectl -n '__profilectl_on profilectl/diff' -l except -r -f -d 'Leave a name or avatar out of this run; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/diff' -l picture-base -r -f -d 'In Markdown show both pictures; URL is the roster\'s folder'

complete -c profilectl -n '__profilectl_on profilectl/sync' -l yes -d 'Apply without asking'
complete -c profilectl -n '__profilectl_on profilectl/sync' -l plan -r -f -a '(__profilectl_plans)' -d 'Only this plan, which `diff --out` saved'
complete -c profilectl -n '__profilectl_on profilectl/sync' -l expect -r -f -d 'Only the plan of this digest, which `diff` shows'
complete -c profilectl -n '__profilectl_on profilectl/sync' -l agent -r -f -a '(__profilectl_names agents)' -d 'Only this agent; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/sync' -l label -s l -r -f -d 'Only agents with all these, such as team=night,kind=bot'
complete -c profilectl -n '__profilectl_on profilectl/sync' -l allow-deletes -r -f -d 'Agree to N deletions per brand'
complete -c profilectl -n '__profilectl_on profilectl/sync' -l allow-lost -r -f -d 'Agree to re-create up to N lost profiles of each brand'
complete -c profilectl -n '__profilectl_on profilectl/sync' -l prune-now -d 'Destroy replaced profiles without waiting'
complete -c profilectl -n '__profilectl_on profilectl/sync' -l verify-avatars -d 'Compare the live pictures, too'
complete -c profilectl -n '__profilectl_on profilectl/sync' -l jobs -r -f -d 'Calls at once'
complete -c profilectl -n '__profilectl_on profilectl/sync' -l max-wait -r -f -d 'Wait this long for another sync or for X'
complete -c profilectl -n '__profilectl_on profilectl/sync' -l new-ledger -d 'Begin a ledger although X has profiles: all those stay strangers\''

complete -c profilectl -n '__profilectl_on profilectl/send' -l to -r -f -a '(__profilectl_names customers)' -d 'Who is written to; - for whom you wrote to last'
complete -c profilectl -n '__profilectl_on profilectl/send' -l as -r -f -a '(__profilectl_names agents)' -d 'Who speaks; else the one whose operators name you'
complete -c profilectl -n '__profilectl_on profilectl/send' -l file -r -F -d 'Read the message from a file'
complete -c profilectl -n '__profilectl_on profilectl/send' -l edit -d 'Write the message in your editor, and go on with what wasn\'t sent'
complete -c profilectl -n '__profilectl_on profilectl/send' -l media -r -F -d 'Send a picture along: JPEG, PNG or GIF'
complete -c profilectl -n '__profilectl_on profilectl/send' -l quick-reply -r -f -d 'An answer to tap; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/send' -l cta -r -f -d 'A button that opens an address; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/send' -l typing -d 'Let the customer see that somebody types: while you read it, or 2 s'
complete -c profilectl -n '__profilectl_on profilectl/send' -l ask -r -f -a 'csat nps' -d 'Follow up with X\'s feedback card; it has an allowlist of its own'
complete -c profilectl -n '__profilectl_on profilectl/send' -l key -r -f -d 'Send at most once under this key, for ever'
complete -c profilectl -n '__profilectl_on profilectl/send' -l human-wrote-this -d 'A person wrote this message (recorded)'
complete -c profilectl -n '__profilectl_on profilectl/send' -l allow-private -d 'Send although the text contains a private name'
complete -c profilectl -n '__profilectl_on profilectl/send' -l yes -d 'Send without asking'
complete -c profilectl -n '__profilectl_on profilectl/send' -l dry-run -d 'Show what would be sent, and send nothing'

complete -c profilectl -n '__profilectl_at profilectl/thread 1' -f -a '(__profilectl_names customers)'
complete -c profilectl -n '__profilectl_on profilectl/thread' -l limit -r -f -d 'How many messages, the newest'
complete -c profilectl -n '__profilectl_on profilectl/thread' -l pages -r -f -d 'Read so many pages of 50 at most; else 3'

complete -c profilectl -n '__profilectl_on profilectl/inbox' -l waiting -d 'Only those who wait for an answer'
complete -c profilectl -n '__profilectl_on profilectl/inbox' -l pages -r -f -d 'Read so many pages of 50 at most; else 3'

complete -c profilectl -n '__profilectl_at profilectl/preview 1' -f -a '(__profilectl_names agents)'
complete -c profilectl -n '__profilectl_on profilectl/preview' -l text -r -f -d 'What the agent says'
complete -c profilectl -n '__profilectl_on profilectl/preview' -l html -r -F -d 'Write one HTML page instead; - for stdout'
complete -c profilectl -n '__profilectl_on profilectl/preview' -l sheet -r -F -d 'Write all faces and names on one page: HTML, or FILE.png; - for stdout'
complete -c profilectl -n '__profilectl_on profilectl/preview' -l label -s l -r -f -d 'Only agents with all these, such as team=night,kind=bot'

complete -c profilectl -n '__profilectl_at profilectl/offboard 1' -f -a '(__profilectl_names agents)'
complete -c profilectl -n '__profilectl_on profilectl/offboard' -l yes -d 'Offboard without asking'
complete -c profilectl -n '__profilectl_on profilectl/offboard' -l undo -d 'Allow the agent again; the next sync makes a profile'

complete -c profilectl -n '__profilectl_on profilectl/recover' -l yes -d 'Bind what is sure without asking'

complete -c profilectl -n '__profilectl_on profilectl/doctor' -l wait -r -f -d 'Keep asking until X allows custom profiles, for this long: 2h'
complete -c profilectl -n '__profilectl_on profilectl/doctor' -l face-check -d 'Send one test message, and ask you what X\'s apps show beside it'
complete -c profilectl -n '__profilectl_on profilectl/doctor' -l to -r -f -a '(__profilectl_names customers)' -d 'For --face-check: one of test_recipients'
complete -c profilectl -n '__profilectl_on profilectl/doctor' -l as -r -f -a '(__profilectl_names agents)' -d 'For --face-check: whose face; else the first one\'s'

complete -c profilectl -n '__profilectl_at profilectl/completion 1' -f -a 'bash zsh fish powershell'

complete -c profilectl -n '__profilectl_on profilectl/roster' -a check -d 'Tell every problem of the roster, each at its line'
complete -c profilectl -n '__profilectl_on profilectl/roster' -a list -d 'List the agents as each brand shows them'
complete -c profilectl -n '__profilectl_on profilectl/roster' -a show -d 'Show all that the roster says of an agent'
complete -c profilectl -n '__profilectl_on profilectl/roster' -a add -d 'Add an agent to the roster'
complete -c profilectl -n '__profilectl_on profilectl/roster' -a set -d 'Change fields of an agent'
complete -c profilectl -n '__profilectl_on profilectl/roster' -a remove -d 'Take an agent out of the roster'
complete -c profilectl -n '__profilectl_on profilectl/roster' -a rename -d 'Change an agent\'s key; its profile stays'
complete -c profilectl -n '__profilectl_on profilectl/roster' -a fmt -d 'Bring the roster into its canonical form'
complete -c profilectl -n '__profilectl_on profilectl/roster' -a import -d 'Read a list of people into the roster'
complete -c profilectl -n '__profilectl_on profilectl/roster' -a export -d 'Print the roster\'s agents as a list for a spreadsheet'
complete -c profilectl -n '__profilectl_on profilectl/roster' -a pull -d 'Bring the roster up to date with a directory of people'
complete -c profilectl -n '__profilectl_on profilectl/roster' -l help -d 'Show this message and exit'

complete -c profilectl -n '__profilectl_on profilectl/roster/check' -l compliance -d 'Tell who speaks, whether each bot says so, and what is missing'
complete -c profilectl -n '__profilectl_on profilectl/roster/check' -l strict -d 'Fail on warnings, too'
complete -c profilectl -n '__profilectl_on profilectl/roster/check' -l format -r -f -a 'text json github sarif' -d 'text, json, github (annotations of a pull request) or sarif'

complete -c profilectl -n '__profilectl_on profilectl/roster/list' -l agent -r -f -a '(__profilectl_names agents)' -d 'Only this agent; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/roster/list' -l label -s l -r -f -d 'Only agents with all these, such as team=night,kind=bot'

complete -c profilectl -n '__profilectl_at profilectl/roster/show 1' -f -a '(__profilectl_names agents)'
complete -c profilectl -n '__profilectl_on profilectl/roster/show' -l explain -d 'Say where each value comes from, and what it wins against'

complete -c profilectl -n '__profilectl_on profilectl/roster/add' -l name -r -f -d 'The public name, or a pattern of one'
complete -c profilectl -n '__profilectl_on profilectl/roster/add' -l avatar -r -f -d 'A picture in the roster\'s folder'
complete -c profilectl -n '__profilectl_on profilectl/roster/add' -l photo -r -F -d 'A picture from anywhere: cropped, and stored beside'
complete -c profilectl -n '__profilectl_on profilectl/roster/add' -l kind -r -f -d 'human or bot'
complete -c profilectl -n '__profilectl_on profilectl/roster/add' -l first -r -f -d 'The given name, for patterns'
complete -c profilectl -n '__profilectl_on profilectl/roster/add' -l last -r -f -d 'The family name, for patterns'
complete -c profilectl -n '__profilectl_on profilectl/roster/add' -l title -r -f -d 'What the agent does, for patterns'
complete -c profilectl -n '__profilectl_on profilectl/roster/add' -l operators -r -f -d 'OS users who may send, with commas'
complete -c profilectl -n '__profilectl_on profilectl/roster/add' -l from -r -f -d 'The first day'
complete -c profilectl -n '__profilectl_on profilectl/roster/add' -l until -r -f -d 'The last day'
complete -c profilectl -n '__profilectl_on profilectl/roster/add' -l label -r -f -d 'A free label; repeatable'

complete -c profilectl -n '__profilectl_at profilectl/roster/set 1' -f -a '(__profilectl_names agents)'
complete -c profilectl -n '__profilectl_on profilectl/roster/set' -l unset -r -f -d 'Take the field out; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/roster/set' -l photo -r -F -d 'A picture from anywhere: cropped, and stored beside'

complete -c profilectl -n '__profilectl_at profilectl/roster/remove 1' -f -a '(__profilectl_names agents)'

complete -c profilectl -n '__profilectl_at profilectl/roster/rename 1' -f -a '(__profilectl_names agents)'

complete -c profilectl -n '__profilectl_on profilectl/roster/fmt' -l check -d 'Write nothing; exit 3 when the form would change'

complete -c profilectl -n '__profilectl_at profilectl/roster/import 1' -F
complete -c profilectl -n '__profilectl_on profilectl/roster/import' -l map -r -f -d 'Which column is which field'
complete -c profilectl -n '__profilectl_on profilectl/roster/import' -l photos -r -F -d 'Pictures, called by key, e-mail address or name'
complete -c profilectl -n '__profilectl_on profilectl/roster/import' -l dry-run -d 'Show the difference, and write nothing'
complete -c profilectl -n '__profilectl_on profilectl/roster/import' -l remove-missing -d 'Remove agents whom the list doesn\'t name, but protected ones'
complete -c profilectl -n '__profilectl_on profilectl/roster/import' -l max-deletes -r -f -d 'How many may leave at once'

complete -c profilectl -n '__profilectl_on profilectl/roster/export' -l format -r -f -d 'csv or jsonl'
complete -c profilectl -n '__profilectl_on profilectl/roster/export' -l legal-names -d 'Include legal names, which are private'
complete -c profilectl -n '__profilectl_on profilectl/roster/export' -l agent -r -f -a '(__profilectl_names agents)' -d 'Only this agent; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/roster/export' -l label -s l -r -f -d 'Only agents with all these, such as team=night,kind=bot'

complete -c profilectl -n '__profilectl_on profilectl/roster/pull' -l dry-run -d 'Show the difference, and write nothing'
complete -c profilectl -n '__profilectl_on profilectl/roster/pull' -l max-deletes -r -f -d 'How many may leave at once'
complete -c profilectl -n '__profilectl_on profilectl/roster/pull' -l yes -d 'Write without asking'

complete -c profilectl -n '__profilectl_on profilectl/feedback' -a report -d 'Compare the scores by agent, by kind and by face'
complete -c profilectl -n '__profilectl_on profilectl/feedback' -l help -d 'Show this message and exit'

complete -c profilectl -n '__profilectl_on profilectl/feedback/report' -l since -r -f -d 'First day; else the first of the month before the last day\'s'
complete -c profilectl -n '__profilectl_on profilectl/feedback/report' -l until -r -f -d 'Last day; else the last that X tells of'

complete -c profilectl -n '__profilectl_on profilectl/profiles' -a list -d 'List the profiles at X, and whose they are'
complete -c profilectl -n '__profilectl_on profilectl/profiles' -a adopt -d 'Bind a profile that exists at X to an agent'
complete -c profilectl -n '__profilectl_on profilectl/profiles' -a forget -d 'Drop an agent\'s binding, and leave the profile at X'
complete -c profilectl -n '__profilectl_on profilectl/profiles' -a destroy -d 'Destroy one profile at X that no agent uses'
complete -c profilectl -n '__profilectl_on profilectl/profiles' -l help -d 'Show this message and exit'

complete -c profilectl -n '__profilectl_at profilectl/profiles/adopt 1' -f -a '(__profilectl_names agents)'
complete -c profilectl -n '__profilectl_at profilectl/profiles/adopt 2' -f -a '(__profilectl_names profiles)'
complete -c profilectl -n '__profilectl_on profilectl/profiles/adopt' -l yes -d 'Adopt without asking'

complete -c profilectl -n '__profilectl_at profilectl/profiles/forget 1' -f -a '(__profilectl_names agents)'
complete -c profilectl -n '__profilectl_on profilectl/profiles/forget' -l yes -d 'Forget without asking'

complete -c profilectl -n '__profilectl_at profilectl/profiles/destroy 1' -f -a '(__profilectl_names profiles)'
complete -c profilectl -n '__profilectl_on profilectl/profiles/destroy' -l yes -d 'Destroy without asking for the name'

complete -c profilectl -n '__profilectl_on profilectl/ledger' -a show -d 'Show where the ledger is and what it holds'
complete -c profilectl -n '__profilectl_on profilectl/ledger' -a export -d 'Write all that the ledger knows as lines of JSON'
complete -c profilectl -n '__profilectl_on profilectl/ledger' -a import -d 'Read an export into a ledger that is empty or missing'
complete -c profilectl -n '__profilectl_on profilectl/ledger' -a backup -d 'Copy the ledger into a file, while others work'
complete -c profilectl -n '__profilectl_on profilectl/ledger' -a migrate -d 'Move the ledger to another place'
complete -c profilectl -n '__profilectl_on profilectl/ledger' -a unlock -d 'Tell which run holds the ledger, and end its right to it'
complete -c profilectl -n '__profilectl_on profilectl/ledger' -a accept-restore -d 'Go on with a ledger that went backwards'
complete -c profilectl -n '__profilectl_on profilectl/ledger' -a grants -d 'Print the SQL for three roles in PostgreSQL'
complete -c profilectl -n '__profilectl_on profilectl/ledger' -l help -d 'Show this message and exit'

complete -c profilectl -n '__profilectl_at profilectl/ledger/export 1' -F
complete -c profilectl -n '__profilectl_on profilectl/ledger/export' -l force -d 'Replace FILE where there is one'

complete -c profilectl -n '__profilectl_at profilectl/ledger/backup 1' -F
complete -c profilectl -n '__profilectl_on profilectl/ledger/backup' -l force -d 'Replace FILE where there is one'

complete -c profilectl -n '__profilectl_on profilectl/ledger/migrate' -l yes -d 'Move it without asking'

complete -c profilectl -n '__profilectl_on profilectl/ledger/unlock' -l yes -d 'End the run\'s right without asking'

complete -c profilectl -n '__profilectl_on profilectl/ledger/accept-restore' -l yes -d 'Go on with it without asking'

complete -c profilectl -n '__profilectl_on profilectl/ledger/grants' -l admin -r -f -d 'May do everything'
complete -c profilectl -n '__profilectl_on profilectl/ledger/grants' -l agent -r -f -d 'May look, and send messages'
complete -c profilectl -n '__profilectl_on profilectl/ledger/grants' -l reader -r -f -d 'May only look'
complete -c profilectl -n '__profilectl_on profilectl/ledger/grants' -l schema -r -f -d 'Of the ledger; else its address\'s, or profilectl'

complete -c profilectl -n '__profilectl_on profilectl/audit' -a log -d 'List what was recorded, oldest first'
complete -c profilectl -n '__profilectl_on profilectl/audit' -a who -d 'Say who somebody was at X on a day'
complete -c profilectl -n '__profilectl_on profilectl/audit' -a sent -d 'List the messages that were sent, and as whom'
complete -c profilectl -n '__profilectl_on profilectl/audit' -a verify -d 'Check that no record was changed and none is missing'
complete -c profilectl -n '__profilectl_on profilectl/audit' -a checkpoint -d 'Sign how many records there are, and their tree\'s root'
complete -c profilectl -n '__profilectl_on profilectl/audit' -a reconcile -d 'Compare X\'s own list of messages with the record'
complete -c profilectl -n '__profilectl_on profilectl/audit' -a export -d 'Write the record of a period to two files'
complete -c profilectl -n '__profilectl_on profilectl/audit' -a prune -d 'Remove texts and recipients from older records, for good'
complete -c profilectl -n '__profilectl_on profilectl/audit' -l help -d 'Show this message and exit'

complete -c profilectl -n '__profilectl_on profilectl/audit/log' -l agent -r -f -a '(__profilectl_names agents)' -d 'Only what is about this agent; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/audit/log' -l actor -r -f -d 'Only what this OS user did; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/audit/log' -l since -r -f -d 'From this day or time on'
complete -c profilectl -n '__profilectl_on profilectl/audit/log' -l until -r -f -d 'Up to the end of this day or time'
complete -c profilectl -n '__profilectl_on profilectl/audit/log' -l event -r -f -d 'Only events such as created; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/audit/log' -l to -r -f -d 'Only what went to this id or @handle; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/audit/log' -l csv -d 'Print lines of CSV, for a spreadsheet'

complete -c profilectl -n '__profilectl_on profilectl/audit/who' -l at -r -f -d 'On this day, or at this time; else now'

complete -c profilectl -n '__profilectl_on profilectl/audit/sent' -l as -r -f -a '(__profilectl_names agents)' -d 'Only messages of this agent; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/audit/sent' -l actor -r -f -d 'Only what this OS user did; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/audit/sent' -l to -r -f -d 'Only what went to this id or @handle; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/audit/sent' -l since -r -f -d 'From this day or time on'
complete -c profilectl -n '__profilectl_on profilectl/audit/sent' -l until -r -f -d 'Up to the end of this day or time'
complete -c profilectl -n '__profilectl_on profilectl/audit/sent' -l csv -d 'Print lines of CSV, for a spreadsheet'

complete -c profilectl -n '__profilectl_on profilectl/audit/verify' -l against -r -f -d 'What was kept of it earlier; - is stdin'
complete -c profilectl -n '__profilectl_on profilectl/audit/verify' -l accept-break -d 'Go on behind a record that was changed'
complete -c profilectl -n '__profilectl_on profilectl/audit/verify' -l yes -d 'Accept it without asking'

complete -c profilectl -n '__profilectl_on profilectl/audit/checkpoint' -l make-key -d 'Make a signing key in the keyring, if it has none'

complete -c profilectl -n '__profilectl_on profilectl/audit/reconcile' -l days -r -f -d 'How far back; X lists 30 days'

complete -c profilectl -n '__profilectl_at profilectl/audit/export 1' -F
complete -c profilectl -n '__profilectl_on profilectl/audit/export' -l since -r -f -d 'From this day or time on'
complete -c profilectl -n '__profilectl_on profilectl/audit/export' -l until -r -f -d 'Up to the end of this day or time'
complete -c profilectl -n '__profilectl_on profilectl/audit/export' -l force -d 'Replace the files where they are'

complete -c profilectl -n '__profilectl_on profilectl/audit/prune' -l before -r -f -d 'Of what is older than this day or time'
complete -c profilectl -n '__profilectl_on profilectl/audit/prune' -l yes -d 'Remove them without asking'

complete -c profilectl -n '__profilectl_on profilectl/auth' -a login -d 'Check credentials at X, and keep them in the keyring'
complete -c profilectl -n '__profilectl_on profilectl/auth' -a import -d 'Import an account from twurl, t or xurl'
complete -c profilectl -n '__profilectl_on profilectl/auth' -a status -d 'Say where credentials come from, and if they are usable'
complete -c profilectl -n '__profilectl_on profilectl/auth' -a list -d 'List the accounts that are logged in, at every host'
complete -c profilectl -n '__profilectl_on profilectl/auth' -a default -d 'Show or choose the brand that is meant when none is named'
complete -c profilectl -n '__profilectl_on profilectl/auth' -a logout -d 'Forget an account\'s credentials'
complete -c profilectl -n '__profilectl_on profilectl/auth' -l help -d 'Show this message and exit'

complete -c profilectl -n '__profilectl_on profilectl/auth/login' -l handle -r -f -d 'The account; else the brand\'s'
complete -c profilectl -n '__profilectl_on profilectl/auth/login' -l with-token -d 'Read the four values as JSON from stdin'
complete -c profilectl -n '__profilectl_on profilectl/auth/login' -l pin -d 'Get the token with a PIN that X shows in a browser'

complete -c profilectl -n '__profilectl_on profilectl/auth/import' -l account -r -f -d 'The account to import, or xurl\'s app'
complete -c profilectl -n '__profilectl_on profilectl/auth/import' -l from -r -F -d 'Only this file of such a tool'
complete -c profilectl -n '__profilectl_on profilectl/auth/import' -l list -d 'Only show which accounts there are'

complete -c profilectl -n '__profilectl_at profilectl/auth/default 1' -f -a '(__profilectl_names brands)'
complete -c profilectl -n '__profilectl_on profilectl/auth/default' -l clear -d 'Choose none any more'

complete -c profilectl -n '__profilectl_on profilectl/auth/logout' -l handle -r -f -d 'The account; else the brand\'s'
complete -c profilectl -n '__profilectl_on profilectl/auth/logout' -l revoke -d 'End the token at X first'

complete -c profilectl -n '__profilectl_on profilectl/sandbox' -a serve -d 'Serve the local X on loopback until Ctrl-C'
complete -c profilectl -n '__profilectl_on profilectl/sandbox' -a reset -d 'Forget everything but the accounts'
complete -c profilectl -n '__profilectl_on profilectl/sandbox' -a faults -d 'Arm a fault, disarm all, or list what is armed'
complete -c profilectl -n '__profilectl_on profilectl/sandbox' -l help -d 'Show this message and exit'

complete -c profilectl -n '__profilectl_on profilectl/sandbox/serve' -l port -r -f -d '0 takes a free one'
complete -c profilectl -n '__profilectl_on profilectl/sandbox/serve' -l handle -r -f -d 'A brand\'s account; repeatable'
complete -c profilectl -n '__profilectl_on profilectl/sandbox/serve' -l world -r -F -d 'Keep the world in a file; else in memory'
complete -c profilectl -n '__profilectl_on profilectl/sandbox/serve' -l generous -d 'Without X\'s rate limits'
complete -c profilectl -n '__profilectl_on profilectl/sandbox/serve' -l not-allowlisted -d 'X hasn\'t approved the brands'
complete -c profilectl -n '__profilectl_on profilectl/sandbox/serve' -l no-feedback -d 'X hasn\'t approved feedback cards'
complete -c profilectl -n '__profilectl_on profilectl/sandbox/serve' -l trouble -r -f -d 'The share that goes wrong; 0.05 is one call in twenty'
complete -c profilectl -n '__profilectl_on profilectl/sandbox/serve' -l seed -r -f -d 'Which calls go wrong'

complete -c profilectl -n '__profilectl_on profilectl/sandbox/reset' -l url -r -f -d 'A running sandbox; else PROFILECTL_API_URL\'s here, or --sandbox\'s'

complete -c profilectl -n '__profilectl_on profilectl/sandbox/faults' -l clear -d 'Disarm all rules'
complete -c profilectl -n '__profilectl_on profilectl/sandbox/faults' -l url -r -f -d 'A running sandbox; else PROFILECTL_API_URL\'s here, or --sandbox\'s'
