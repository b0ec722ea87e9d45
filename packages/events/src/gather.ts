/**
 * Collects items of a source into lists of at most `most` items that arrive within `lingerMs` of the first.
 * When the source fails, the collected items are yielded before the error is thrown.
 */
export async function* gather<T>(
  source: AsyncIterator<T>,
  most: number,
  lingerMs: number,
): AsyncGenerator<T[], void> {
  const take = () =>
    source.next().then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
  let next = take();
  for (;;) {
    const first = await next;
    if ('error' in first) throw first.error;
    if (first.result.done) return;
    const list = [first.result.value];
    next = take();
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), lingerMs);
    });
    while (list.length < most) {
      const more = await Promise.race([next, over]);
      if (more === undefined || 'error' in more || more.result.done) break;
      list.push(more.result.value);
      next = take();
    }
    clearTimeout(timer);
    yield list;
  }
}
