import type { OutboundResponse } from '@claviger/outbound';
import type { ChangeRefusal, LoginRefusal } from './config.ts';
import { matches } from './send.ts';
import type { Values } from './template.ts';

type HttpRefusal = LoginRefusal | ChangeRefusal;

/** The first refusal of the settings that the answer matches. */
export function refusalIn<R extends HttpRefusal>(
  response: OutboundResponse,
  refused: readonly R[],
  values: Values,
): R | undefined {
  return refused.find(
    (refusal) =>
      (refusal.retryAfter === undefined || response.headers['retry-after'] !== undefined) &&
      matches(response, refusal, values),
  );
}

type Hints<R extends HttpRefusal> = Readonly<Record<R['kind'], string>>;

const MEND_ACCOUNT = 'Unlock or enable the account on the target.';

export const LOGIN_HINTS: Hints<LoginRefusal> = {
  authentication:
    'The target holds another password; where its answer means something else, say so in verify.refused.',
  permission:
    'Give the account the right to the request of verify, or describe a request to which it has one.',
  not_now: 'Wait, or raise the limits of the target for logins.',
  not_possible: MEND_ACCOUNT,
};

export const CHANGE_HINTS: Hints<ChangeRefusal> = {
  policy:
    'See the rules of the target for passwords; where its answer means something else, say so in rotate.refused.',
  authentication:
    'The target refuses the login of rotate; where its answer means something else, say so in rotate.refused.',
  permission: 'Give the login of rotate the right to set this password, and check the path of rotate.',
  not_now: 'Wait, or raise the limits of the target for changes.',
  not_possible: MEND_ACCOUNT,
  unreachable: 'Wait until the target takes requests again.',
};

/** The hint of the settings, or the one for the kind; with the time for which the target asks. */
export function refusalHint<R extends HttpRefusal>(
  response: OutboundResponse,
  refusal: R,
  hints: Hints<R>,
): string {
  const kind: R['kind'] = refusal.kind;
  const seconds = /^\d{1,6}$/.exec(response.headers['retry-after'] ?? '')?.[0];
  const wait = seconds === undefined ? '' : ` The target asks to wait ${seconds} seconds.`;
  return `${refusal.hint ?? hints[kind]}${wait}`;
}
