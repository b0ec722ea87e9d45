import { ClavigerError } from '@claviger/errors';
import type { Rule, SoftwareEntry } from '@claviger/evaluator';
import { type CallContext, peopleBehind } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import type { RulesDeps } from './deps.ts';
import type { RevisionRow } from './rules-tables.ts';

/**
 * The acting people by id: the actor and the people behind it. A machine identity's changes count as changes
 * by its responsible person.
 */
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

/**
 * The authors after a change: all earlier ones and the acting people. Earlier co-signatures end with a
 * change.
 */
export function authorsAfter(
  body: Pick<Rule | SoftwareEntry, 'authorIds'>,
  acting: Readonly<Record<string, string>>,
): string[] {
  return [...new Set([...body.authorIds, ...Object.keys(acting)])];
}

/** The co-signers after the acting people co-sign. Throws `own_rule` if one of them is an author. */
export function coSignersAfter(
  body: Pick<Rule | SoftwareEntry, 'authorIds' | 'coSignerIds'>,
  acting: Readonly<Record<string, string>>,
): string[] {
  const people = Object.keys(acting);
  if (people.some((person) => body.authorIds.includes(person))) {
    throw new ClavigerError('denied', 'You cannot co-sign a rule or entry of which you are an author.', {
      code: 'own_rule',
      hint: 'Ask a person who is not one of its authors.',
    });
  }
  return [...new Set([...(body.coSignerIds ?? []), ...people])];
}

/** The names of the people whom the new body refers to. */
export function namesFor(
  body: Pick<Rule, 'authorIds' | 'coSignerIds'>,
  row: Pick<RevisionRow, 'people'> | undefined,
  acting: Readonly<Record<string, string>>,
): Record<string, string> {
  const known = { ...row?.people, ...acting };
  const ids = [...body.authorIds, ...(body.coSignerIds ?? [])];
  return Object.fromEntries(ids.map((id) => [id, known[id] ?? '']));
}
