import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { leaderboardQuery } from "../api/queries.ts";
import type { Leaderboard } from "../api/shapes.ts";
import { netSaid } from "../money/net.ts";
import { useMe } from "../shell/use-me.ts";
import { Empty, Loaded } from "../ui/states.tsx";

export default function LeaderboardScreen() {
  const board = useQuery(leaderboardQuery);
  return (
    <div className="stack">
      <h1>Leaderboard</h1>
      <Loaded query={board} label="Leaderboard">
        {(loaded) => <Board board={loaded} />}
      </Loaded>
    </div>
  );
}

function Board({ board: { minimumGames, rows } }: { board: Leaderboard }) {
  const viewerId = useMe()?.id;
  return (
    <>
      <p className="smoke">Who has won or lost at least {minimumGames} games. A draw is neither.</p>
      {rows.length === 0 ? (
        <Empty>Nobody has won or lost {minimumGames} games yet.</Empty>
      ) : (
        <table className="ledger ledger-wide">
          <thead>
            <tr>
              <th scope="col">Place</th>
              <th scope="col">Player</th>
              <th scope="col">Won</th>
              <th scope="col" className="amount">
                Up or down
              </th>
              <th scope="col">
                <span className="sr-only">Challenge</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ player, won, played, net }, place) => (
              <tr key={player.id}>
                <td className="call" style={{ fontSize: "1.75rem" }}>
                  {place + 1}
                </td>
                <td>
                  <Link
                    className="link link-row call"
                    style={{ fontSize: "1.5rem" }}
                    to="/p/$handle"
                    params={{ handle: player.handle }}
                  >
                    {player.handle}
                  </Link>
                </td>
                <td>
                  won {won} of {played}
                </td>
                <td className="amount">
                  {net.map((line) => (
                    <div key={line.money.token}>{netSaid(line)}</div>
                  ))}
                </td>
                <td>
                  {player.id === viewerId ? null : (
                    <Link
                      className="link link-row"
                      to="/play"
                      search={{ to: player.handle }}
                      aria-label={`Call out ${player.handle}`}
                    >
                      Call out
                    </Link>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
