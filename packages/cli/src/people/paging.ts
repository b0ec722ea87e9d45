import type { ApiClient, Operation } from '../api/api-client.ts';
import { tell } from '../output.ts';

export interface PageOptions {
  readonly all?: boolean;
  readonly limit?: number;
}

interface ListRequest {
  pageSize?: number | undefined;
  cursor: string;
}
interface ListResponse<Item> {
  items: Item[];
  totalItems: number;
  nextCursor?: string | undefined;
}

export interface Listed<Item> {
  readonly items: Item[];
  /** How many there are in all. */
  readonly totalItems: number;
}

/** Pages through a list by cursor, up to the limit (25) or to its end with `all`. Says so when there are more. */
export async function listItems<Request extends ListRequest, Item>(
  api: ApiClient,
  operation: Operation<Request, ListResponse<Item>>,
  request: Partial<Request>,
  { all = false, limit = 25 }: PageOptions,
): Promise<Listed<Item>> {
  const wanted = all ? Number.POSITIVE_INFINITY : limit;
  const items: Item[] = [];
  let totalItems = 0;
  let cursor: string | undefined;
  do {
    const pageSize = Math.min(100, wanted - items.length);
    const page = await api.call(operation, {
      ...request,
      pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    } as Partial<Request>);
    items.push(...page.items);
    totalItems = page.totalItems;
    cursor = page.nextCursor;
  } while (cursor !== undefined && cursor !== '' && items.length < wanted);
  tellOfMore(items.length, totalItems, all);
  return { items, totalItems };
}

/** The same for lists in the form of the elevation family: `limit`, and the total beside the page. */
export async function listLimited<Item>(
  read: (page: { limit: number; cursor?: string }) => Promise<{
    readonly items: readonly Item[];
    readonly total: number;
    readonly nextCursor?: string | undefined;
  }>,
  { all = false, limit = 25 }: PageOptions,
): Promise<Listed<Item>> {
  const wanted = all ? Number.POSITIVE_INFINITY : limit;
  const items: Item[] = [];
  let totalItems = 0;
  let cursor: string | undefined;
  do {
    const page = await read({
      limit: Math.min(100, wanted - items.length),
      ...(cursor === undefined ? {} : { cursor }),
    });
    items.push(...page.items);
    totalItems = page.total;
    cursor = page.nextCursor;
  } while (cursor !== undefined && cursor !== '' && items.length < wanted);
  tellOfMore(items.length, totalItems, all);
  return { items, totalItems };
}

function tellOfMore(shown: number, total: number, all: boolean): void {
  if (shown < total && !all) tell(`${shown} of ${total} shown: --limit N shows more, --all shows all`);
}
