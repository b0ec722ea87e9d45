import type { OutboundResponse } from '@claviger/outbound';
import type { ChangeRefusal, LoginRefusal } from './config.ts';
import { matches } from './send.ts';
import type { Values } from './template.ts';

type HttpRefusal = LoginRefusal | ChangeRefusal;

/** Returns the first refusal in the settings that the answer matches. */
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
    'The target has another password. If its answer means something else, describe it in verify.refused.',
  permission:
    'Grant the account permission for the request of verify, or describe a request for which it has permission.',
  not_now: 'Wait, or raise the limits of the target for logins.',
  not_possible: MEND_ACCOUNT,
};

export const CHANGE_HINTS: Hints<ChangeRefusal> = {
  policy:
    "Check the target's password rules. If its answer means something else, describe it in rotate.refused.",
  authentication:
    'The target refuses the login of rotate. If its answer means something else, describe it in rotate.refused.',
  permission: 'Grant the login of rotate permission to set this password, and check the path of rotate.',
  not_now: 'Wait, or raise the limits of the target for changes.',
  not_possible: MEND_ACCOUNT,
  unreachable: 'Wait until the target accepts requests again.',
};

/** Returns the hint of the settings or the default of the kind, with the wait that the target requested. */
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
