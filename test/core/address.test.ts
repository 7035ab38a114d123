import { expect, test } from "vitest";
import { addressProblem, isStoredAddress, parseAddress, zeroAddress } from "../../engine/core/address.ts";

const checksummed = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
const stored = checksummed.toLowerCase();
const code = (text: string, isChecksumRight = (_: string) => true) => {
  const result = parseAddress(text, isChecksumRight);
  return result.ok ? result.address : result.rejection.code;
};

test("an address is kept in lower case, however it was written", () => {
  expect(code(checksummed)).toBe(stored);
  expect(code(stored)).toBe(stored);
  expect(code(`0x${stored.slice(2).toUpperCase()}`)).toBe(stored);
});

test("mixed case with a wrong checksum is a typing error and refused", () => {
  expect(code(checksummed, () => false)).toBe("address_checksum_wrong");
  expect(code(checksummed, (address) => address === checksummed)).toBe(stored);
});

test.each([`0xA${"b".repeat(39)}`, `0x${"b".repeat(39)}A`, `0xa${"B".repeat(39)}`])(
  "one letter of the other case is enough to carry a checksum: %s",
  (address) => expect(code(address, () => false)).toBe("address_checksum_wrong"),
);

test("one case carries no checksum, so none is asked for", () => {
  const never = () => {
    throw new Error("asked");
  };
  expect(code(stored, never)).toBe(stored);
  expect(code(`0x${stored.slice(2).toUpperCase()}`, never)).toBe(stored);
});

test.each([
  "",
  "0x",
  stored.slice(0, -1),
  `${stored}0`,
  stored.slice(2),
  ` ${stored}`,
  `${stored}\n`,
  `0X${stored.slice(2)}`,
  `0x${"g".repeat(40)}`,
  "marcus.eth",
])("%j is no address", (text) => {
  expect(code(text)).toBe("address_invalid");
  expect(addressProblem(text)).toBe("address_invalid");
  expect(isStoredAddress(text)).toBe(false);
});

test("something other than text is no address", () => {
  expect(addressProblem([stored] as unknown as string)).toBe("address_invalid");
});

test("nobody is paid at the zero address", () => {
  expect(code(zeroAddress)).toBe("address_zero");
  expect(addressProblem(zeroAddress)).toBe("address_zero");
});

test("the stored form is lower case only", () => {
  expect(isStoredAddress(stored)).toBe(true);
  expect(isStoredAddress(checksummed)).toBe(false);
  expect(addressProblem(checksummed)).toBeNull();
});
