/**
 * Whose smart wallets may sign in before they are deployed (ERC-6492): the signature brings a call that would deploy
 * the wallet, and that call is only ever made to one of these. Addresses on Base, lower case.
 */
export const wellKnownFactories: readonly string[] = [
  "0x0ba5ed0c6aa8c49038f819e587e2633c4a9f428a", // Coinbase Smart Wallet 1
  "0xba5ed110efdba3d005bfc882d75358acbbb85842", // Coinbase Smart Wallet 1.1
  "0x4e1dcf7ad4e460cfd30791ccc4f9c8a4f820ec67", // Safe 1.4.1
];
