import type { Leaderboard } from "../api/shapes.ts";
import { withSymbol } from "./show.ts";

type Net = Leaderboard["rows"][number]["net"][number];

/** "up 184.00 USDC", "down 12.50 USDC", "even". */
export const netSaid = ({ sign, money }: Net): string =>
  sign === "even" ? "even" : `${sign} ${withSymbol(money)}`;
