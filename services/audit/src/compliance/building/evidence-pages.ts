import type { CallOptions } from '@claviger/service-kit';

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string;
}

/** Lists all rows of another service, page by page. */
export async function* evidenceRows<R extends { cursor: string }, T>(
  list: (request: R, options: CallOptions) => Promise<Page<T>>,
  request: Omit<R, 'cursor'>,
  options: CallOptions,
): AsyncGenerator<T> {
  let cursor = '';
  do {
    const page = await list({ ...request, cursor } as R, options);
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== '');
}
