/** An EIP-1193 provider over a key in the page. Local chains only. */
import { isHex, type LocalAccount, numberToHex } from "viem";
import { base } from "viem/chains";

interface Request {
  method: string;
  params?: unknown;
}
type Listener = (...values: unknown[]) => void;

interface TransactionRequest {
  to: `0x${string}`;
  data?: `0x${string}` | undefined;
  value?: `0x${string}` | undefined;
}

/** As EIP-1193 wants errors: with a code. */
class ProviderError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * @param deriveAccount called once, when the key is needed first: stretching a mnemonic takes a moment.
 * @param permissionKey remembers in this browser whether the page was allowed to see the account, as a wallet
 * would: before that `eth_accounts` answers nothing.
 */
export function createDevelopmentProvider(deriveAccount: () => LocalAccount, permissionKey: string) {
  let derived: LocalAccount | null = null;
  const account = (): LocalAccount => {
    derived ??= deriveAccount();
    return derived;
  };
  const listeners = new Map<string, Set<Listener>>();
  const emit = (event: string, ...values: unknown[]): void => {
    for (const listener of listeners.get(event) ?? []) listener(...values);
  };
  const isAllowed = (): boolean => localStorage.getItem(permissionKey) !== null;
  const accounts = (): string[] => (isAllowed() ? [account().address] : []);

  async function request({ method, params }: Request): Promise<unknown> {
    const values = Array.isArray(params) ? (params as unknown[]) : [];
    switch (method) {
      case "eth_requestAccounts":
        localStorage.setItem(permissionKey, "1");
        return accounts();
      case "eth_accounts":
        return accounts();
      case "wallet_requestPermissions":
        localStorage.setItem(permissionKey, "1");
        return [
          {
            parentCapability: "eth_accounts",
            caveats: [{ type: "restrictReturnedAccounts", value: accounts() }],
          },
        ];
      case "wallet_getPermissions":
        return isAllowed() ? [{ parentCapability: "eth_accounts" }] : [];
      case "wallet_revokePermissions":
        localStorage.removeItem(permissionKey);
        emit("accountsChanged", []);
        return null;
      case "eth_chainId":
        return numberToHex(base.id);
      case "wallet_switchEthereumChain": {
        const [{ chainId } = { chainId: "" }] = values as { chainId: string }[];
        if (chainId !== numberToHex(base.id)) throw new ProviderError(4902, "This wallet knows only Base.");
        return null;
      }
      case "personal_sign": {
        const [data] = values as [string];
        return account().signMessage({ message: isHex(data) ? { raw: data } : data });
      }
      case "eth_sendTransaction": {
        const [{ to, data, value }] = values as [TransactionRequest];
        return send(account(), { to, data, value });
      }
      default:
        return callNode({ method, params: values });
    }
  }

  return {
    request,
    on(event: string, listener: Listener) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener));
    },
    removeListener(event: string, listener: Listener) {
      listeners.get(event)?.delete(listener);
    },
  };
}

/** Signs here and sends the bytes. Fees are twice the node's, so that a local chain never keeps it waiting. */
async function send(account: LocalAccount, { to, data, value }: TransactionRequest): Promise<unknown> {
  const from = account.address;
  const [nonce, gasPrice, gas] = await Promise.all([
    callNode({ method: "eth_getTransactionCount", params: [from, "pending"] }),
    callNode({ method: "eth_gasPrice" }),
    callNode({ method: "eth_estimateGas", params: [{ from, to, data, value }] }),
  ]);
  const feePerGas = BigInt(String(gasPrice)) * 2n;
  const raw = await account.signTransaction({
    type: "eip1559",
    chainId: base.id,
    to,
    nonce: Number(nonce),
    gas: (BigInt(String(gas)) * 5n) / 4n,
    maxFeePerGas: feePerGas,
    maxPriorityFeePerGas: feePerGas,
    ...(data === undefined ? {} : { data }),
    ...(value === undefined ? {} : { value: BigInt(value) }),
  });
  return callNode({ method: "eth_sendRawTransaction", params: [raw] });
}

let lastId = 0;

/** Sends one call to the local chain by way of the engine, which lets only harmless methods through. */
async function callNode({ method, params }: Request): Promise<unknown> {
  lastId += 1;
  const response = await fetch("/dev/rpc", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: lastId, method, params: params ?? [] }),
  });
  const answer = (await response.json()) as { result?: unknown; error?: { code: number; message: string } };
  if (answer.error !== undefined) throw new ProviderError(answer.error.code, answer.error.message);
  if (!response.ok) throw new ProviderError(4200, `This wallet doesn't do ${method}.`);
  return answer.result;
}
