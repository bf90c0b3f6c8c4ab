// What an import itself costs: the floor of them all.
export {};
