import type { ServerResponse } from 'node:http';
import type { MethodInfo } from '@claviger/contracts';
import { tierOf } from '../limits/tiers.ts';
import type { Message } from '../transcoder/message-template.ts';
import { type AdmitDeps, count } from './admit.ts';

/** Counts a sign-in against the account that it tries, from wherever it comes. Throws `rate_limited`. */
export type CountAccount = (message: Message, response: ServerResponse) => Promise<void>;

/** For public operations whose request names a user; undefined for all others. */
export function countAccountFor(method: MethodInfo, deps: AdmitDeps): CountAccount | undefined {
  const field = method.request.fields.find(({ property }) => property === 'username');
  if (!method.policy!.public || !field) return undefined;
  const longest = field.rules!.maxLength;
  const tier = tierOf(method, deps.tiers);
  return async (message, response) => {
    const username = message.username as string;
    // Auth refuses what is longer. To normalise it here would take time that grows with the square of its length.
    if (username === '' || username.length > 2 * longest) return;
    const tenant = (message.tenant as string | undefined) || 'default';
    const key = deps.keys.account(tier.name, tenant, username);
    count((await deps.gate.check([{ key, tier }], undefined)).limit, response);
  };
}
