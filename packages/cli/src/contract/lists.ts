import type { ApiClient } from '@claviger/api-client';
import { operation } from '@claviger/api-client/operations';
import type { MessageInfo } from '@claviger/contracts';
import { tell } from '@claviger/terminal/output';

type Row = Readonly<Record<string, unknown>>;

/** Rows of a list, and the total number. */
export interface Listed {
  readonly items: readonly Row[];
  readonly totalItems: number;
}

/** The property with the rows of a list's answer; undefined if the answer is not a list. */
export function rowsOf(response: MessageInfo): string | undefined {
  if (!response.byJsonName.has('totalItems') && !response.byJsonName.has('pagination')) return undefined;
  return response.fields.find(({ repeated, kind }) => repeated && kind === 'message')?.property;
}

/**
 * Pages through a list by cursor, up to the limit or, with `all`, to its end. Prints a note if there are
 * more.
 */
export async function listItems(
  api: ApiClient,
  name: string,
  request: object,
  { all = false, limit = 25 }: { readonly all?: boolean; readonly limit?: number },
): Promise<Listed> {
  const info = operation(name);
  const rows = rowsOf(info.response)!;
  const size = info.request.byJsonName.has('limit') ? 'limit' : 'pageSize';
  const wanted = all ? Number.POSITIVE_INFINITY : limit;
  const items: Row[] = [];
  let totalItems = 0;
  let cursor: string | undefined;
  do {
    const page = await api.invoke(info, { ...request, [size]: Math.min(100, wanted - items.length), cursor });
    items.push(...(page[rows] as Row[]));
    totalItems = Number(page.totalItems ?? (page.pagination as { total?: number } | undefined)?.total ?? 0);
    cursor = (page.nextCursor as string | undefined) || undefined;
  } while (cursor !== undefined && items.length < wanted);
  if (items.length < totalItems && !all)
    tell(`${items.length} of ${totalItems} shown: --limit N shows more, --all shows all`);
  return { items, totalItems };
}

/** All rows of a list. Filters that the list does not have are omitted. */
export async function listAll(
  api: ApiClient,
  name: string,
  request: Record<string, unknown>,
): Promise<readonly Row[]> {
  const known = operation(name).request.byJsonName;
  const filter = Object.fromEntries(Object.entries(request).filter(([property]) => known.has(property)));
  return (await listItems(api, name, filter, { all: true })).items;
}
