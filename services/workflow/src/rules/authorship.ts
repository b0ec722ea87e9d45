import { ClavigerError } from '@claviger/errors';
import type { Rule, SoftwareEntry } from '@claviger/evaluator';
import { type CallContext, peopleBehind } from '@claviger/service-kit';
import { internalCall } from '../vault-call.ts';
import type { RulesDeps } from './deps.ts';
import type { RevisionRow } from './rules-tables.ts';

/** Who acts, with everybody who stands behind them, by id. What a machine writes, its responsible person writes. */
export async function actingPeople(
  deps: Pick<RulesDeps, 'directory'>,
  context: CallContext,
): Promise<Record<string, string>> {
  const { actor } = context;
  const people: Record<string, string> = { [actor.userId]: actor.userName };
  const others = peopleBehind(actor).filter((id) => id !== actor.userId);
  if (others.length === 0) return people;
  const { users } = await deps.directory.getUserNames({ userIds: others }, internalCall(context));
  for (const id of others) {
    const user = users.find((each) => each.id === id);
    people[id] = user?.displayName || user?.username || '';
  }
  return people;
}

/** Who has written a part of what it becomes: everybody so far and who acts now. Who had signed has signed something else. */
export function authorsAfter(
  body: Pick<Rule | SoftwareEntry, 'authorIds'>,
  acting: Readonly<Record<string, string>>,
): string[] {
  return [...new Set([...body.authorIds, ...Object.keys(acting)])];
}

/** Who has agreed to it when those who act agree too. Throws `own_rule` where one of them wrote a part of it. */
export function coSignersAfter(
  body: Pick<Rule | SoftwareEntry, 'authorIds' | 'coSignerIds'>,
  acting: Readonly<Record<string, string>>,
): string[] {
  const people = Object.keys(acting);
  if (people.some((person) => body.authorIds.includes(person))) {
    throw new ClavigerError('denied', 'Nobody co-signs what they wrote a part of.', {
      code: 'own_rule',
      hint: 'Ask somebody who has not written any of it.',
    });
  }
  return [...new Set([...(body.coSignerIds ?? []), ...people])];
}

/** The names of those whom the new body still names. */
export function namesFor(
  body: Pick<Rule, 'authorIds' | 'coSignerIds'>,
  row: Pick<RevisionRow, 'people'> | undefined,
  acting: Readonly<Record<string, string>>,
): Record<string, string> {
  const known = { ...row?.people, ...acting };
  const ids = [...body.authorIds, ...(body.coSignerIds ?? [])];
  return Object.fromEntries(ids.map((id) => [id, known[id] ?? '']));
}
