"""What the tests share, by what one wants it for.

Fixtures: `fixtures` has those of every suite (`bed` starts servers, `network` names hosts).

Servers
    scripted_server: a mail server that does what a `script` says, at every step and byte;
        `other_protocols`: what a wrong port number meets; `oauth_server`: a provider to sign in at;
        `network`: host names and ports; `ports`: ports that refuse or never answer;
        `certificates`: good and bad ones.
    Its parts, which no test needs to know: listener, stream, conversation, dialogue, offers, login,
        sasl, mailing, transaction, message.

Accounts
    accounts: config entries, loaded without the dialog; `oauth`: those that were signed in to;
        `sessions`: settings and sessions of the mail layer by itself; `tokens`: access tokens.

Dialogs
    dialogs: setting up, repairing and options, page by page, as a person fills them in.

Mail
    sending: from an account; `yaml_actions`: by actions and automations as people write them;
        `mails`: by `send_message`, and what a reader's program makes of what arrived;
        `record`: all that a server saw; `pictures`: cameras and images; `leaks`: what is left open.

Clock
    clock: how long something may take that takes a moment; `sending.pass_time`: let timers fire.

The project itself
    documents: its pages; `pure`: the mail layer without Home Assistant.
"""
