# ~/.bashrc: for every interactive bash.

[ -f /etc/bashrc ] && . /etc/bashrc

# Root asks before it destroys.
alias rm='rm -i'
alias cp='cp -i'
alias mv='mv -i'
