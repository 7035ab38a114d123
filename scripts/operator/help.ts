export const help = `npm run operator -- COMMAND

  solvency                                    what we owe, what we hold, the ten invariants
  disputes                                    games that wait for a decision
  decide GAME --outcome red|blue|draw|no_contest --reason "…"
  suspense                                    money that nobody could be credited for
  refund ITEM --reason "…"                    send it back to its sender
  instructions [--state STATE]                the newest transfers that we owe on the chain, or those in one state
  sweep --token USDC --dry-run                what a sweep would move
  sweep --token USDC --confirm TOTAL          move it; TOTAL in base units, as the dry run says

  create-keystore FILE                        a new encrypted seed for production

  --as HANDLE or ADDRESS                      with decide, refund and sweep: which operator acts
                                              (default: the first in OPERATORS)`;
