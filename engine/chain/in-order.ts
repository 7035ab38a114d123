/** Does work on items, `ahead` of them at a time, and yields what comes out in the items' order. */
export async function* inOrderAhead<Item, Result>(
  items: readonly Item[],
  ahead: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = [];
  let next = 0;
  for (let done = 0; done < items.length; done += 1) {
    while (next < items.length && underWay.length < ahead) {
      const result = work(items[next] as Item);
      result.catch(() => undefined); // It is thrown where its turn comes, if it comes.
      underWay.push(result);
      next += 1;
    }
    yield await (underWay.shift() as Promise<Result>);
  }
}
