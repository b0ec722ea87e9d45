import { type MethodInfo, methodOf } from '@claviger/contracts';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as vault from '@claviger/contracts/vault/v1/vault';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { Question } from './question.ts';

interface Deed {
  readonly method: MethodInfo;
  readonly what: string;
  readonly command: string;
  /** Matches the start of a message, after phrases of politeness are removed. */
  readonly order: RegExp;
  /** Matches inside a longer message. */
  readonly inside: RegExp | undefined;
}

const { RequestsService: requests, GrantsService: grants } = workflow;
const { EntriesService: entries } = vault;
const { UsersService: users } = auth;

const deed = (
  { path }: { readonly path: string },
  what: string,
  command: string,
  order: RegExp,
  inside?: RegExp,
): Deed => ({ method: methodOf(path), what, command, order, inside });

/** The first match counts. */
const DEEDS: readonly Deed[] = [
  deed(
    entries.rotateEntry,
    'rotate a credential',
    'claviger entries rotate ENTRY',
    /^(?:rotate|(?:change|reset)\b.{0,60}\b(?:password|secret|credentials?))\b/,
    /(?:^|[.,;:!?"'(] ?|\b(?:please|must|now|and|then|you|to) )(?:rotate) (?:this|that|it|them|all|every|the|my|request|grant)\b/,
  ),
  deed(
    requests.approveRequest,
    'approve a request',
    'claviger approve REQUEST',
    /^(?:approve|confirm|accept)\b/,
    /(?:^|[.,;:!?"'(] ?|\b(?:please|must|now|and|then|you|to) )(?:approve|confirm|accept) (?:this|that|it|them|all|every|the|my|request|grant)\b/,
  ),
  deed(
    requests.denyRequest,
    'deny a request',
    'claviger deny REQUEST',
    /^(?:deny|reject|refuse|decline)\b/,
    /(?:^|[.,;:!?"'(] ?|\b(?:please|must|now|and|then|you|to) )(?:deny|reject|refuse|decline) (?:this|that|it|them|all|every|the|my|request|grant)\b/,
  ),
  deed(
    requests.cancelRequest,
    'cancel a request of yours',
    'claviger cancel REQUEST',
    /^(?:cancel|withdraw)\b/,
    /(?:^|[.,;:!?"'(] ?|\b(?:please|must|now|and|then|you|to) )(?:cancel|withdraw) (?:this|that|it|them|all|every|the|my|request|grant)\b/,
  ),
  deed(
    grants.revokeGrant,
    'end a grant',
    'claviger revoke GRANT',
    /^(?:revoke\b|(?:end|terminate|remove|take away)\b.{0,60}\b(?:grants?|access)\b)/,
    /(?:^|[.,;:!?"'(] ?|\b(?:please|must|now|and|then|you|to) )(?:revoke) (?:this|that|it|them|all|every|the|my|request|grant)\b/,
  ),
  deed(
    grants.getGrantCredentials,
    'receive the credential of a grant',
    'claviger get REQUEST',
    /^(?:show|give|tell|get|retrieve|reveal|print|fetch|read|decrypt|send)\b.{0,60}\b(?:passwords?|secrets?|credentials?|private keys?|api keys?)\b/,
    /(?:^|[.,;:!?"'(] ?|\b(?:please|must|now|and|then|you|to) )(?:reveal|decrypt|retrieve) (?:this|that|it|them|all|every|the|my|request|grant)\b/,
  ),
  deed(
    requests.createRequest,
    'ask for access',
    'claviger request NAME --for 30m --reason "why"',
    /^(?:request|ask for|order|grant|give|get|extend|prolong)\b.{0,60}\b(?:access|grants?)\b/,
  ),
  deed(
    users.createUser,
    'create a user',
    'claviger users create NAME --role ROLE',
    /^(?:create|add|make)\b.{0,60}\b(?:users?|person|account for)\b/,
  ),
  deed(
    users.deleteUser,
    'delete a user',
    'claviger users delete NAME',
    /^(?:delete|remove)\b.{0,60}\b(?:users?|person)\b/,
  ),
  deed(users.unlockUser, 'unlock a user', 'claviger users unlock NAME', /^unlock\b/),
  deed(
    entries.deleteEntry,
    'delete an entry',
    'claviger entries delete ENTRY',
    /^(?:delete|remove|erase|destroy|drop)\b/,
    /(?:^|[.,;:!?"'(] ?|\b(?:please|must|now|and|then|you|to) )(?:delete|erase|destroy) (?:this|that|it|them|all|every|the|my|request|grant)\b/,
  ),
];

const POLITE =
  /^(?:(?:please|kindly|now|ok|okay|hey|hi|hello|claviger|just|go ahead and|i want (?:you )?to|i need (?:you )?to|i'd like (?:you )?to|(?:can|could|would|will) you|ignore (?:\w+ ){0,4}instructions(?: and)?)[,.:;! ]+)+/;
const QUESTION = /^(?:how|what|who|whose|when|where|why|which|is|are|do|does|did|may|can i)\b/;

/**
 * Instructions for a message that orders an action: the command and the permission, from the contract. The
 * assistant itself has no means to change anything, so that no message can make it do so.
 */
export function byHand({ text }: Question): string[] | undefined {
  const order = text.replace(POLITE, '');
  const found = DEEDS.find((each) => each.order.test(order));
  if (found) return wayOf(found);
  if (QUESTION.test(order)) return undefined;
  const inside = DEEDS.find((each) => each.inside?.test(text));
  return inside && wayOf(inside);
}

function wayOf({ method, what, command }: Deed): string[] {
  const [binding] = method.http;
  const { permission, stepUp } = method.policy!;
  return [
    'The assistant cannot change anything: it only reads.',
    `To ${what} yourself: ./${command}, or ${binding!.method} ${binding!.path}.`,
    `This requires ${permission ? `the permission ${permission}` : 'that you are signed in and that the object is yours'}${stepUp ? ' and a second factor used within the last ten minutes' : ''}.`,
  ];
}
