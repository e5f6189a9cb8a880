// Every public name of mainstem/files, by hand.

export {};
