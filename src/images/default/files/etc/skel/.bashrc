# ~/.bashrc: for every interactive bash.

[ -f /etc/bashrc ] && . /etc/bashrc
