import { type ChildProcess, spawn } from "node:child_process";

/**
 * Lets a throw-away process end with us even when we are killed: a shell waits for its input to close, which the system
 * does when we are gone, and ends the process then. (A process whose data is kept stays, for the next start to take over.)
 */
export function endWithUs(child: ChildProcess, signal: "TERM" | "INT"): void {
  if (process.platform === "win32" || child.pid === undefined) return;
  const script = `cat > /dev/null; kill -${signal} ${child.pid}`;
  const guard = spawn("sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  guard.on("error", () => undefined); // No shell: then only an orderly end cleans up.
  child.once("exit", () => guard.kill("SIGKILL"));
  guard.unref();
  if (guard.stdin && "unref" in guard.stdin && typeof guard.stdin.unref === "function") guard.stdin.unref();
}
