# PowerShell completion for profilectl, made by `profilectl completion powershell`

Register-ArgumentCompleter -Native -CommandName profilectl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # A command is written name|description, an option name|what it takes|description; a flag takes nothing.
    # What options and arguments take is @path, @plan, @text, the words to choose from, with a comma between, or the
    # names to ask the program for: @agents, @brands, @profiles.
    $shared = @(
        '--roster|@path|The roster; else ./roster.toml'
        '--brand|@brands|Only this brand; repeatable'
        '--sandbox||Use the local X, with its own credentials and ledger'
        '--credentials-file|@path|Credentials as JSON; - for stdin'
        '--json||Print one JSON document'
        '--quiet||Only results: nothing when nothing changed'
        '-q||Only results: nothing when nothing changed'
        '--verbose||Tell about every call'
        '-v||Tell about every call'
        '--no-input||Never ask'
        '--timeout|@text|Give up after this long'
        '--help||Show this message and exit'
    )
    $table = @{
        'profilectl' = @{
            Commands = @(
                'demo|Show the whole job on a local X'
                'init|Write a starter roster with pictures'
                'diff|Show what sync would do'
                'sync|Make X equal to the roster'
                'send|Send one Direct Message as an agent'
                'thread|Show the conversation with a customer'
                'inbox|Show who wrote, when, and whether they were answered'
                'preview|Show what customers will see: bubble, name and picture'
                'offboard|Block sending as an agent at once, and destroy its faces'
                'recover|Rebuild a lost ledger from the profiles at X'
                'doctor|Tell what works, what doesn''t, and what to do'
                'completion|Print the completion script of a shell'
                'roster|The roster file: who your agents are'
                'feedback|What customers answer on feedback cards'
                'profiles|The profiles at X: ours, retired, strangers'
                'ledger|The ledger itself: look, copy, move, mend'
                'audit|The record: who changed and sent what, as whom'
                'auth|Credentials: which accounts profilectl can speak for'
                'sandbox|The local X: a server with pages, and trouble on order'
            )
            Options = $shared + @(
                '--version||Print the version'
            )
            Arguments = @()
        }
        'profilectl demo' = @{
            Commands = @()
            Options = $shared + @()
            Arguments = @()
        }
        'profilectl init' = @{
            Commands = @()
            Options = $shared + @(
                '--handle|@text|Your brand''s X account; else a stand-in'
                '--language|@text|Which language its customers read; else en'
                '--timezone|@text|Where days begin and end; else UTC'
                '--csv|@path|Your people: CSV, or JSON lines'
                '--map|@text|Which column is which field'
                '--photos|@path|Pictures, called by key, e-mail address or name'
                '--from-live||Take the profiles that X has as agents'
                '--yes||Ask nothing'
            )
            Arguments = @()
        }
        'profilectl diff' = @{
            Commands = @()
            Options = $shared + @(
                '--exit-code||Exit 3 when anything differs'
                '--out|@path|Save the plan, too, for `sync --plan`'
                '--format|table,json,markdown,html|How to show it; else a table, and plain lines in a pipe'
                '--agent|@agents|Only this agent; repeatable'
                '--label|@text|Only agents with all these, such as team=night,kind=bot'
                '-l|@text|Only agents with all these, such as team=night,kind=bot'
                '--allow-deletes|@text|Agree to N deletions per brand'
                '--allow-lost|@text|Agree to re-create up to N lost profiles of each brand'
                '--prune-now||Destroy replaced profiles without waiting'
                '--verify-avatars||Compare the live pictures, too'
                '--except|@text|Leave a name or avatar out of this run; repeatable'
                '--picture-base|@text|In Markdown show both pictures; URL is the roster''s folder'
            )
            Arguments = @()
        }
        'profilectl sync' = @{
            Commands = @()
            Options = $shared + @(
                '--yes||Apply without asking'
                '--plan|@plan|Only this plan, which `diff --out` saved'
                '--expect|@text|Only the plan of this digest, which `diff` shows'
                '--agent|@agents|Only this agent; repeatable'
                '--label|@text|Only agents with all these, such as team=night,kind=bot'
                '-l|@text|Only agents with all these, such as team=night,kind=bot'
                '--allow-deletes|@text|Agree to N deletions per brand'
                '--allow-lost|@text|Agree to re-create up to N lost profiles of each brand'
                '--prune-now||Destroy replaced profiles without waiting'
                '--verify-avatars||Compare the live pictures, too'
                '--jobs|@text|Calls at once'
                '--max-wait|@text|Wait this long for another sync or for X'
                '--new-ledger||Begin a ledger although X has profiles: all those stay strangers'''
            )
            Arguments = @()
        }
        'profilectl send' = @{
            Commands = @()
            Options = $shared + @(
                '--to|@customers|Who is written to; - for whom you wrote to last'
                '--as|@agents|Who speaks; else the one whose operators name you'
                '--file|@path|Read the message from a file'
                '--edit||Write the message in your editor, and go on with what wasn''t sent'
                '--media|@path|Send a picture along: JPEG, PNG or GIF'
                '--quick-reply|@text|An answer to tap; repeatable'
                '--cta|@text|A button that opens an address; repeatable'
                '--typing||Let the customer see that somebody types: while you read it, or 2 s'
                '--ask|csat,nps|Follow up with X''s feedback card; it has an allowlist of its own'
                '--key|@text|Send at most once under this key, for ever'
                '--human-wrote-this||A person wrote this message (recorded)'
                '--allow-private||Send although the text contains a private name'
                '--yes||Send without asking'
                '--dry-run||Show what would be sent, and send nothing'
            )
            Arguments = @(
                '@text'
            )
        }
        'profilectl thread' = @{
            Commands = @()
            Options = $shared + @(
                '--limit|@text|How many messages, the newest'
                '--pages|@text|Read so many pages of 50 at most; else 3'
            )
            Arguments = @(
                '@customers'
            )
        }
        'profilectl inbox' = @{
            Commands = @()
            Options = $shared + @(
                '--waiting||Only those who wait for an answer'
                '--pages|@text|Read so many pages of 50 at most; else 3'
            )
            Arguments = @()
        }
        'profilectl preview' = @{
            Commands = @()
            Options = $shared + @(
                '--text|@text|What the agent says'
                '--html|@path|Write one HTML page instead; - for stdout'
                '--sheet|@path|Write all faces and names on one page: HTML, or FILE.png; - for stdout'
                '--label|@text|Only agents with all these, such as team=night,kind=bot'
                '-l|@text|Only agents with all these, such as team=night,kind=bot'
            )
            Arguments = @(
                '@agents'
            )
        }
        'profilectl offboard' = @{
            Commands = @()
            Options = $shared + @(
                '--yes||Offboard without asking'
                '--undo||Allow the agent again; the next sync makes a profile'
            )
            Arguments = @(
                '@agents'
            )
        }
        'profilectl recover' = @{
            Commands = @()
            Options = $shared + @(
                '--yes||Bind what is sure without asking'
            )
            Arguments = @()
        }
        'profilectl doctor' = @{
            Commands = @()
            Options = $shared + @(
                '--wait|@text|Keep asking until X allows custom profiles, for this long: 2h'
                '--face-check||Send one test message, and ask you what X''s apps show beside it'
                '--to|@customers|For --face-check: one of test_recipients'
                '--as|@agents|For --face-check: whose face; else the first one''s'
            )
            Arguments = @()
        }
        'profilectl completion' = @{
            Commands = @()
            Options = $shared + @()
            Arguments = @(
                'bash,zsh,fish,powershell'
            )
        }
        'profilectl roster' = @{
            Commands = @(
                'check|Tell every problem of the roster, each at its line'
                'list|List the agents as each brand shows them'
                'show|Show all that the roster says of an agent'
                'add|Add an agent to the roster'
                'set|Change fields of an agent'
                'remove|Take an agent out of the roster'
                'rename|Change an agent''s key; its profile stays'
                'fmt|Bring the roster into its canonical form'
                'import|Read a list of people into the roster'
                'export|Print the roster''s agents as a list for a spreadsheet'
                'pull|Bring the roster up to date with a directory of people'
            )
            Options = @(
                '--help||Show this message and exit'
            )
            Arguments = @()
        }
        'profilectl roster check' = @{
            Commands = @()
            Options = $shared + @(
                '--compliance||Tell who speaks, whether each bot says so, and what is missing'
                '--strict||Fail on warnings, too'
                '--format|text,json,github,sarif|text, json, github (annotations of a pull request) or sarif'
            )
            Arguments = @()
        }
        'profilectl roster list' = @{
            Commands = @()
            Options = $shared + @(
                '--agent|@agents|Only this agent; repeatable'
                '--label|@text|Only agents with all these, such as team=night,kind=bot'
                '-l|@text|Only agents with all these, such as team=night,kind=bot'
            )
            Arguments = @()
        }
        'profilectl roster show' = @{
            Commands = @()
            Options = $shared + @(
                '--explain||Say where each value comes from, and what it wins against'
            )
            Arguments = @(
                '@agents'
            )
        }
        'profilectl roster add' = @{
            Commands = @()
            Options = $shared + @(
                '--name|@text|The public name, or a pattern of one'
                '--avatar|@text|A picture in the roster''s folder'
                '--photo|@path|A picture from anywhere: cropped, and stored beside'
                '--kind|@text|human or bot'
                '--first|@text|The given name, for patterns'
                '--last|@text|The family name, for patterns'
                '--title|@text|What the agent does, for patterns'
                '--operators|@text|OS users who may send, with commas'
                '--from|@text|The first day'
                '--until|@text|The last day'
                '--label|@text|A free label; repeatable'
            )
            Arguments = @(
                '@text'
                '@text'
            )
        }
        'profilectl roster set' = @{
            Commands = @()
            Options = $shared + @(
                '--unset|@text|Take the field out; repeatable'
                '--photo|@path|A picture from anywhere: cropped, and stored beside'
            )
            Arguments = @(
                '@agents'
                '@text'
            )
        }
        'profilectl roster remove' = @{
            Commands = @()
            Options = $shared + @()
            Arguments = @(
                '@agents'
            )
        }
        'profilectl roster rename' = @{
            Commands = @()
            Options = $shared + @()
            Arguments = @(
                '@agents'
                '@text'
            )
        }
        'profilectl roster fmt' = @{
            Commands = @()
            Options = $shared + @(
                '--check||Write nothing; exit 3 when the form would change'
            )
            Arguments = @()
        }
        'profilectl roster import' = @{
            Commands = @()
            Options = $shared + @(
                '--map|@text|Which column is which field'
                '--photos|@path|Pictures, called by key, e-mail address or name'
                '--dry-run||Show the difference, and write nothing'
                '--remove-missing||Remove agents whom the list doesn''t name, but protected ones'
                '--max-deletes|@text|How many may leave at once'
            )
            Arguments = @(
                '@path'
            )
        }
        'profilectl roster export' = @{
            Commands = @()
            Options = $shared + @(
                '--format|@text|csv or jsonl'
                '--legal-names||Include legal names, which are private'
                '--agent|@agents|Only this agent; repeatable'
                '--label|@text|Only agents with all these, such as team=night,kind=bot'
                '-l|@text|Only agents with all these, such as team=night,kind=bot'
            )
            Arguments = @()
        }
        'profilectl roster pull' = @{
            Commands = @()
            Options = $shared + @(
                '--dry-run||Show the difference, and write nothing'
                '--max-deletes|@text|How many may leave at once'
                '--yes||Write without asking'
            )
            Arguments = @(
                '@text'
            )
        }
        'profilectl feedback' = @{
            Commands = @(
                'report|Compare the scores by agent, by kind and by face'
            )
            Options = @(
                '--help||Show this message and exit'
            )
            Arguments = @()
        }
        'profilectl feedback report' = @{
            Commands = @()
            Options = $shared + @(
                '--since|@text|First day; else the first of the month before the last day''s'
                '--until|@text|Last day; else the last that X tells of'
            )
            Arguments = @()
        }
        'profilectl profiles' = @{
            Commands = @(
                'list|List the profiles at X, and whose they are'
                'adopt|Bind a profile that exists at X to an agent'
                'forget|Drop an agent''s binding, and leave the profile at X'
                'destroy|Destroy one profile at X that no agent uses'
            )
            Options = @(
                '--help||Show this message and exit'
            )
            Arguments = @()
        }
        'profilectl profiles list' = @{
            Commands = @()
            Options = $shared + @()
            Arguments = @()
        }
        'profilectl profiles adopt' = @{
            Commands = @()
            Options = $shared + @(
                '--yes||Adopt without asking'
            )
            Arguments = @(
                '@agents'
                '@profiles'
            )
        }
        'profilectl profiles forget' = @{
            Commands = @()
            Options = $shared + @(
                '--yes||Forget without asking'
            )
            Arguments = @(
                '@agents'
            )
        }
        'profilectl profiles destroy' = @{
            Commands = @()
            Options = $shared + @(
                '--yes||Destroy without asking for the name'
            )
            Arguments = @(
                '@profiles'
            )
        }
        'profilectl ledger' = @{
            Commands = @(
                'show|Show where the ledger is and what it holds'
                'export|Write all that the ledger knows as lines of JSON'
                'import|Read an export into a ledger that is empty or missing'
                'backup|Copy the ledger into a file, while others work'
                'migrate|Move the ledger to another place'
                'unlock|Tell which run holds the ledger, and end its right to it'
                'accept-restore|Go on with a ledger that went backwards'
                'grants|Print the SQL for three roles in PostgreSQL'
            )
            Options = @(
                '--help||Show this message and exit'
            )
            Arguments = @()
        }
        'profilectl ledger show' = @{
            Commands = @()
            Options = $shared + @()
            Arguments = @()
        }
        'profilectl ledger export' = @{
            Commands = @()
            Options = $shared + @(
                '--force||Replace FILE where there is one'
            )
            Arguments = @(
                '@path'
            )
        }
        'profilectl ledger import' = @{
            Commands = @()
            Options = $shared + @()
            Arguments = @(
                '@text'
            )
        }
        'profilectl ledger backup' = @{
            Commands = @()
            Options = $shared + @(
                '--force||Replace FILE where there is one'
            )
            Arguments = @(
                '@path'
            )
        }
        'profilectl ledger migrate' = @{
            Commands = @()
            Options = $shared + @(
                '--yes||Move it without asking'
            )
            Arguments = @(
                '@text'
            )
        }
        'profilectl ledger unlock' = @{
            Commands = @()
            Options = $shared + @(
                '--yes||End the run''s right without asking'
            )
            Arguments = @()
        }
        'profilectl ledger accept-restore' = @{
            Commands = @()
            Options = $shared + @(
                '--yes||Go on with it without asking'
            )
            Arguments = @()
        }
        'profilectl ledger grants' = @{
            Commands = @()
            Options = $shared + @(
                '--admin|@text|May do everything'
                '--agent|@text|May look, and send messages'
                '--reader|@text|May only look'
                '--schema|@text|Of the ledger; else its address''s, or profilectl'
            )
            Arguments = @()
        }
        'profilectl audit' = @{
            Commands = @(
                'log|List what was recorded, oldest first'
                'who|Say who somebody was at X on a day'
                'sent|List the messages that were sent, and as whom'
                'verify|Check that no record was changed and none is missing'
                'checkpoint|Sign how many records there are, and their tree''s root'
                'reconcile|Compare X''s own list of messages with the record'
                'export|Write the record of a period to two files'
                'prune|Remove texts and recipients from older records, for good'
            )
            Options = @(
                '--help||Show this message and exit'
            )
            Arguments = @()
        }
        'profilectl audit log' = @{
            Commands = @()
            Options = $shared + @(
                '--agent|@agents|Only what is about this agent; repeatable'
                '--actor|@text|Only what this OS user did; repeatable'
                '--since|@text|From this day or time on'
                '--until|@text|Up to the end of this day or time'
                '--event|@text|Only events such as created; repeatable'
                '--to|@text|Only what went to this id or @handle; repeatable'
                '--csv||Print lines of CSV, for a spreadsheet'
            )
            Arguments = @()
        }
        'profilectl audit who' = @{
            Commands = @()
            Options = $shared + @(
                '--at|@text|On this day, or at this time; else now'
            )
            Arguments = @(
                '@text'
            )
        }
        'profilectl audit sent' = @{
            Commands = @()
            Options = $shared + @(
                '--as|@agents|Only messages of this agent; repeatable'
                '--actor|@text|Only what this OS user did; repeatable'
                '--to|@text|Only what went to this id or @handle; repeatable'
                '--since|@text|From this day or time on'
                '--until|@text|Up to the end of this day or time'
                '--csv||Print lines of CSV, for a spreadsheet'
            )
            Arguments = @()
        }
        'profilectl audit verify' = @{
            Commands = @()
            Options = $shared + @(
                '--against|@text|What was kept of it earlier; - is stdin'
                '--accept-break||Go on behind a record that was changed'
                '--yes||Accept it without asking'
            )
            Arguments = @()
        }
        'profilectl audit checkpoint' = @{
            Commands = @()
            Options = $shared + @(
                '--make-key||Make a signing key in the keyring, if it has none'
            )
            Arguments = @()
        }
        'profilectl audit reconcile' = @{
            Commands = @()
            Options = $shared + @(
                '--days|@text|How far back; X lists 30 days'
            )
            Arguments = @()
        }
        'profilectl audit export' = @{
            Commands = @()
            Options = $shared + @(
                '--since|@text|From this day or time on'
                '--until|@text|Up to the end of this day or time'
                '--force||Replace the files where they are'
            )
            Arguments = @(
                '@path'
            )
        }
        'profilectl audit prune' = @{
            Commands = @()
            Options = $shared + @(
                '--before|@text|Of what is older than this day or time'
                '--yes||Remove them without asking'
            )
            Arguments = @()
        }
        'profilectl auth' = @{
            Commands = @(
                'login|Check credentials at X, and keep them in the keyring'
                'import|Import an account from twurl, t or xurl'
                'status|Say where credentials come from, and if they are usable'
                'list|List the accounts that are logged in, at every host'
                'default|Show or choose the brand that is meant when none is named'
                'logout|Forget an account''s credentials'
            )
            Options = @(
                '--help||Show this message and exit'
            )
            Arguments = @()
        }
        'profilectl auth login' = @{
            Commands = @()
            Options = $shared + @(
                '--handle|@text|The account; else the brand''s'
                '--with-token||Read the four values as JSON from stdin'
                '--pin||Get the token with a PIN that X shows in a browser'
            )
            Arguments = @()
        }
        'profilectl auth import' = @{
            Commands = @()
            Options = $shared + @(
                '--account|@text|The account to import, or xurl''s app'
                '--from|@path|Only this file of such a tool'
                '--list||Only show which accounts there are'
            )
            Arguments = @()
        }
        'profilectl auth status' = @{
            Commands = @()
            Options = $shared + @()
            Arguments = @()
        }
        'profilectl auth list' = @{
            Commands = @()
            Options = $shared + @()
            Arguments = @()
        }
        'profilectl auth default' = @{
            Commands = @()
            Options = $shared + @(
                '--clear||Choose none any more'
            )
            Arguments = @(
                '@brands'
            )
        }
        'profilectl auth logout' = @{
            Commands = @()
            Options = $shared + @(
                '--handle|@text|The account; else the brand''s'
                '--revoke||End the token at X first'
            )
            Arguments = @()
        }
        'profilectl sandbox' = @{
            Commands = @(
                'serve|Serve the local X on loopback until Ctrl-C'
                'reset|Forget everything but the accounts'
                'faults|Arm a fault, disarm all, or list what is armed'
            )
            Options = @(
                '--help||Show this message and exit'
            )
            Arguments = @()
        }
        'profilectl sandbox serve' = @{
            Commands = @()
            Options = $shared + @(
                '--port|@text|0 takes a free one'
                '--handle|@text|A brand''s account; repeatable'
                '--world|@path|Keep the world in a file; else in memory'
                '--generous||Without X''s rate limits'
                '--not-allowlisted||X hasn''t approved the brands'
                '--no-feedback||X hasn''t approved feedback cards'
                '--trouble|@text|The share that goes wrong; 0.05 is one call in twenty'
                '--seed|@text|Which calls go wrong'
            )
            Arguments = @()
        }
        'profilectl sandbox reset' = @{
            Commands = @()
            Options = $shared + @(
                '--url|@text|A running sandbox; else PROFILECTL_API_URL''s here, or --sandbox''s'
            )
            Arguments = @()
        }
        'profilectl sandbox faults' = @{
            Commands = @()
            Options = $shared + @(
                '--clear||Disarm all rules'
                '--url|@text|A running sandbox; else PROFILECTL_API_URL''s here, or --sandbox''s'
            )
            Arguments = @(
                '@text'
            )
        }
    }

    function Find-Kind($name, $option) {
        foreach ($line in $table[$name].Options) {
            $known, $kind, $null = $line -split '\|', 3
            if ($known -ceq $option) { return $kind }
        }
    }

    function New-Result($text, $type, $tip) {
        if (-not $text.StartsWith($wordToComplete, [StringComparison]::Ordinal)) { return }
        if (-not $tip) { $tip = $text }
        [System.Management.Automation.CompletionResult]::new($text, $text, $type, $tip)
    }

    # Ask the program on the line, if that is one, for its names of a kind.
    function Get-Name($kind, $before) {
        $program = $commandAst.GetCommandName()
        if (-not $program) { return }
        $program = [System.Management.Automation.WildcardPattern]::Escape($program)
        $command = Get-Command -Name $program -CommandType Application -TotalCount 1 -ErrorAction Ignore
        if (-not $command) { return }
        $wordsBefore = @($words | Select-Object -Skip 1 | ForEach-Object {
            $isText = $_ -is [System.Management.Automation.Language.StringConstantExpressionAst]
            if ($isText) { $_.Value } else { $_.Extent.Text }
        })
        foreach ($line in & $command.Source __complete $kind $wordsBefore 2>$null) {
            $name, $tip = $line -split "`t", 2
            # Unquoted, a word that begins with @ would be taken for a variable's.
            if ($kind -ceq 'customers') {
                $typed = $wordToComplete.Trim([char]39, [char]34)
                if (-not $name.StartsWith($typed, [StringComparison]::Ordinal)) { continue }
                $label, $type = $name, 'ParameterValue'
                [System.Management.Automation.CompletionResult]::new("$before'$name'", $label, $type, $tip)
                continue
            }
            New-Result ($before + $name) 'ParameterValue' $tip
        }
    }

    function Get-Value($kind, $before, $value) {
        if ($kind -cin '@path', '@plan') {
            foreach ($file in [System.Management.Automation.CompletionCompleters]::CompleteFilename($value)) {
                $isFolder = $file.ResultType -eq 'ProviderContainer'
                if ($kind -ceq '@plan' -and -not $isFolder -and $file.ListItemText -notlike '*.json') { continue }
                $text = $before + $file.CompletionText
                $label, $type, $tip = $file.ListItemText, $file.ResultType, $file.ToolTip
                [System.Management.Automation.CompletionResult]::new($text, $label, $type, $tip)
            }
        } elseif ($kind -cin '@agents', '@brands', '@profiles', '@customers') {
            Get-Name $kind.Substring(1) $before
        } elseif ($kind -and $kind -cne '@text') {
            foreach ($choice in $kind -split ',') { New-Result ($before + $choice) 'ParameterValue' $choice }
        }
    }

    $name = 'profilectl'
    $place = 0
    $kind = ''
    $plain = $false
    $words = $commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition }
    foreach ($word in $words | Select-Object -Skip 1 | ForEach-Object { $_.Extent.Text }) {
        if ($kind) {
            $kind = ''
        } elseif (-not $plain -and $word -ceq '--') {
            $plain = $true
        } elseif (-not $plain -and $word -clike '-?*') {
            $kind = Find-Kind $name $word
        } elseif ($table.ContainsKey("$name $word")) {
            $name = "$name $word"
        } else {
            $place++
        }
    }

    if ($kind) {
        Get-Value $kind '' $wordToComplete
    } elseif (-not $plain -and $wordToComplete -clike '--*=*') {
        $option, $value = $wordToComplete -split '=', 2
        Get-Value (Find-Kind $name $option) "$option=" $value
    } elseif (-not $plain -and $wordToComplete.StartsWith('-')) {
        foreach ($line in $table[$name].Options) {
            $option, $null, $tip = $line -split '\|', 3
            New-Result $option 'ParameterName' $tip
        }
    } elseif ($table[$name].Commands) {
        foreach ($line in $table[$name].Commands) {
            $command, $tip = $line -split '\|', 2
            New-Result $command 'ParameterValue' $tip
        }
    } elseif ($place -lt $table[$name].Arguments.Count) {
        Get-Value $table[$name].Arguments[$place] '' $wordToComplete
    }
}
