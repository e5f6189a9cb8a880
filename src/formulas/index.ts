// Every public name of mainstem/formulas, by hand.

export {};
