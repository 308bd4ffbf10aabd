# ~/.bash_profile: for a login.

[ -f ~/.bashrc ] && . ~/.bashrc
PATH=$PATH:$HOME/bin
export PATH
