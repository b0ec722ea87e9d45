import { auth, type MethodInfo, methodOf, vault, workflow } from '@claviger/contracts';
import type { Question } from './question.ts';

interface Deed {
  readonly verbs: string;
  /** What it is done to, where that tells deeds of one verb apart. */
  readonly objects?: string;
  readonly method: MethodInfo;
  readonly what: string;
  readonly command: string;
}

const { RequestsServiceService: requests, GrantsServiceService: grants } = workflow;
const { EntriesServiceService: entries } = vault;
const deed = (
  verbs: string,
  objects: string,
  operation: { path: string },
  what: string,
  command: string,
): Deed => ({ verbs, ...(objects ? { objects } : {}), method: methodOf(operation.path), what, command });

const DEEDS: readonly Deed[] = [
  deed(
    'rotate|change|reset',
    'password|secret|credentials?|account|entry|\\S+-\\S+',
    entries.rotateEntry,
    'rotate a credential',
    'claviger entries rotate ENTRY',
  ),
  deed(
    'approve|confirm|accept',
    '',
    requests.approveRequest,
    'approve a request',
    'claviger approve REQUEST',
  ),
  deed('deny|reject|refuse|decline', '', requests.denyRequest, 'deny a request', 'claviger deny REQUEST'),
  deed('cancel|withdraw', '', requests.cancelRequest, 'cancel a request of yours', 'claviger cancel REQUEST'),
  deed(
    'revoke|end|terminate|remove|take away',
    'grants?|access',
    grants.revokeGrant,
    'end a grant',
    'claviger revoke GRANT',
  ),
  deed(
    'show|give|tell|get|retrieve|reveal|print|fetch|read|decrypt|send',
    'passwords?|secrets?|credentials?|private keys?|api keys?',
    grants.getGrantCredentials,
    'receive the credential of a grant',
    'claviger get REQUEST',
  ),
  deed(
    'request|ask for|order|grant|give|get|extend|prolong',
    'access|grants?',
    requests.createRequest,
    'ask for access',
    'claviger request NAME --for 30m --reason "why"',
  ),
  deed('rotate', '', entries.rotateEntry, 'rotate a credential', 'claviger entries rotate ENTRY'),
  deed(
    'create|add|make',
    'users?|person|account for',
    auth.UsersServiceService.createUser,
    'create a user',
    'claviger users create NAME --role ROLE',
  ),
  deed(
    'delete|remove',
    'users?|person',
    auth.UsersServiceService.deleteUser,
    'delete a user',
    'claviger users delete NAME',
  ),
  deed('unlock', '', auth.UsersServiceService.unlockUser, 'unlock a user', 'claviger users unlock NAME'),
  deed(
    'delete|remove|erase|destroy|drop',
    '',
    entries.deleteEntry,
    'delete an entry',
    'claviger entries delete ENTRY',
  ),
];

const POLITE =
  /^(?:(?:please|kindly|now|ok|okay|hey|hi|hello|claviger|just|go ahead and|i want (?:you )?to|i need (?:you )?to|i'd like (?:you )?to|(?:can|could|would|will) you|ignore (?:\w+ ){0,4}instructions(?: and)?)[,.:;! ]+)+/;

/**
 * When a message asks for something to be done: how to do it oneself, from the contract. The assistant has no means to do anything,
 * so there is nothing here that could be talked into it.
 */
export function byHand({ text }: Question): string[] | undefined {
  const order = text.replace(POLITE, '').replace(POLITE, '');
  const found = DEEDS.find(({ verbs, objects }) =>
    new RegExp(
      `^(?:${verbs})\\b${objects ? `.{0,60}?(?:^|[\\s"'])(?:${objects})(?:$|[\\s"'.,;:!?])` : ''}`,
    ).test(order),
  );
  const isQuestion = /^(?:how|what|who|when|where|why|which|is|are|do|does|may|can i)\b/.test(order);
  if (found) return wayOf(found);
  if (isQuestion) return undefined;
  const inside = DEEDS.find(
    ({ verbs, objects }) =>
      !objects &&
      new RegExp(
        `(?:^|[.,;:!?"'(]\\s*|\\b(?:please|must|now|and|then|you|to) )(?:${verbs}) (?:this|that|it|them|all|every|the|my|request|grant)\\b`,
      ).test(text),
  );
  return inside && wayOf(inside);
}

function wayOf({ method, what, command }: Deed): string[] {
  const [binding] = method.http;
  const { permission, stepUp } = method.policy!;
  return [
    'The assistant does nothing itself: it only reads.',
    `To ${what} yourself: ./${command}, or ${binding!.method} ${binding!.path}.`,
    `That needs ${permission ? `the permission ${permission}` : 'you to be signed in, and what it is done to to be yours'}${stepUp ? ' and a second factor of the last ten minutes' : ''}.`,
  ];
}
