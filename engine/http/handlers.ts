import type { Context } from "../services/context.ts";
import type { Handlers } from "./call.ts";
import { accountHandlers } from "./routes/account.ts";
import { arenaHandlers } from "./routes/arena.ts";
import { gameHandlers } from "./routes/games.ts";
import { operatorHandlers } from "./routes/operator.ts";
import { poolHandlers } from "./routes/pool.ts";
import { proposalHandlers } from "./routes/proposals.ts";
import { serviceHandlers } from "./routes/service.ts";

/** Every route's handler. One that is missing here doesn't compile. */
export const handlersOf = (context: Context): Handlers => ({
  ...serviceHandlers(context),
  ...accountHandlers(context),
  ...poolHandlers(context),
  ...proposalHandlers(context),
  ...gameHandlers(context),
  ...arenaHandlers(context),
  ...operatorHandlers(context),
});
