import type { Reason } from '@claviger/errors';
import type { Explanation } from './explanation.ts';
import { administrationExplanations } from './explanations-administration.ts';
import { assistantExplanations } from './explanations-assistant.ts';
import { breakglassExplanations } from './explanations-breakglass.ts';
import { clusterExplanations } from './explanations-cluster.ts';
import { complianceExplanations } from './explanations-compliance.ts';
import { deviceExplanations } from './explanations-devices.ts';
import { elevationExplanations } from './explanations-elevation.ts';
import { encryptionExplanations } from './explanations-encryption.ts';
import { idempotencyExplanations } from './explanations-idempotency.ts';
import { ruleExplanations } from './explanations-rules.ts';
import { sealingExplanations } from './explanations-sealing.ts';
import { tenantExplanations } from './explanations-tenants.ts';

/** One explanation for every reason there is: a new one does not compile until it is explained. */
const reasons: Readonly<Record<Reason, Explanation>> = {
  invalid: {
    meaning: 'The request breaks a rule of its fields; the problem names each field by a JSON pointer.',
    next: 'Correct the named fields. The same request will fail again.',
  },
  unauthenticated: {
    meaning: 'Nobody is signed in, or the sign-in is over.',
    next: 'Sign in with `claviger login`.',
  },
  denied: {
    meaning: 'You are known, but may not do this.',
    next: 'The problem names the permission; an administrator can give you a role with it. `claviger whoami` shows yours.',
  },
  step_up_required: {
    meaning: 'This needs a second factor proved within the last ten minutes.',
    next: 'Sign in again with the second factor, then repeat the command. `claviger mfa` commands ask for a code themselves.',
  },
  not_found: {
    meaning: 'There is no such object, or you may not see it: the two look the same on purpose.',
    next: 'Check the id, the tenant and your rights.',
  },
  method_not_allowed: {
    meaning: 'The path exists, but not with this HTTP method.',
    next: 'See /openapi.json of the server for its methods.',
  },
  conflict: {
    meaning: 'The request does not fit the present state: something else was decided or done before.',
    next: 'Read the object again and decide anew.',
  },
  request_in_progress: {
    meaning: 'A request with the same Idempotency-Key is being carried out at this moment.',
    next: 'Send the same request with the same key again in a second: it answers what became of it.',
  },
  idempotency_key_reused: {
    meaning: 'An Idempotency-Key stands for one request for 24 hours; it was used for another one.',
    next: 'Take a new random key for each new request.',
  },
  already_exists: {
    meaning: 'Something with this name exists already.',
    next: 'Choose another name, or use the existing one.',
  },
  gone: {
    meaning:
      'It was there once and will never be again, as the secrets of a tenant whose keys were destroyed.',
    next: 'Nothing brings it back.',
  },
  precondition_failed: {
    meaning: 'The object has changed since it was read (If-Match, rowVersion).',
    next: 'Read it again, apply your change to what it is now, and send that.',
  },
  payload_too_large: {
    meaning: 'The request is larger than the server takes.',
    next: 'Send less; secrets have at most 64 KiB.',
  },
  unsupported_media_type: {
    meaning: 'The content type is not one that the server reads.',
    next: 'Send application/json.',
  },
  rate_limited: {
    meaning: 'Too many requests in too short a time.',
    next: 'Wait as long as Retry-After says. Sign-in has a tighter limit than the rest.',
  },
  internal: {
    meaning: 'Something failed that should not have; the cause is in the logs of the server only.',
    next: "Give the correlation id to the server's operators.",
  },
  integrity_error: {
    meaning: 'Stored data is not what was stored: it was damaged or altered.',
    next: "Do not repeat it. Tell the server's operators at once, with the correlation id.",
  },
  unavailable: {
    meaning: 'A part of the system cannot be reached right now.',
    next: 'Try again in a moment; `claviger status` shows the parts of a local installation.',
  },
  audit_unavailable: {
    meaning: 'The audit record could not be written, so nothing was done: no record, no secret.',
    next: 'Try again in a moment. If it stays, the database of the service needs help.',
  },
  sealed: {
    meaning:
      'The vault has no root key, or not the one its data was sealed with. It neither reads nor writes secrets.',
    next: "The server's operators give it the right root key, or its shares (`claviger unseal`). Nothing is lost meanwhile.",
  },
  deadline_exceeded: {
    meaning: 'It took longer than allowed. Whether it took effect is not known.',
    next: 'Look at the object before repeating the request.',
  },
};

/** Codes that say it more narrowly. */
const codes: Readonly<Record<string, Explanation>> = {
  ...administrationExplanations,
  ...assistantExplanations,
  ...breakglassExplanations,
  ...clusterExplanations,
  ...complianceExplanations,
  ...deviceExplanations,
  ...elevationExplanations,
  ...encryptionExplanations,
  ...ruleExplanations,
  ...sealingExplanations,
  ...tenantExplanations,
  ...idempotencyExplanations,
  self_approval: {
    meaning: 'Nobody decides on their own request, whatever their roles.',
    next: 'Ask somebody else who may decide, or `claviger cancel` it.',
  },
  not_eligible: {
    meaning: 'You may decide on requests, but are not among the approvers of the step that waits.',
    next: '`claviger resources policy RESOURCE` names the approvers of each step.',
  },
  not_requester: {
    meaning: 'Only the one who asked can cancel a request.',
    next: 'An approver can deny it instead.',
  },
  wrong_status: {
    meaning: 'It is no longer in the state that this needs: it was decided, has ended, or is not active yet.',
    next: 'Look at it again: `claviger requests`, `claviger grants`, `claviger elevations list`.',
  },
  digest_mismatch: {
    meaning: 'The request is not the one that you have seen.',
    next: 'Read it again and decide on what it asks for now.',
  },
  already_decided: {
    meaning: 'You have decided on this request already; each person counts once.',
    next: 'Wait for the others.',
  },
  already_pending: {
    meaning: 'You have a pending request for the same already.',
    next: '`claviger requests --status pending` shows it; cancel it to ask differently.',
  },
  already_delivered: {
    meaning: 'The one-time credential of this grant was shown already. It is never shown twice.',
    next: 'If it did not reach you, `claviger revoke` the grant, which rotates the secret, and ask again.',
  },
  not_grantee: {
    meaning: 'A credential goes to the person it was granted to only.',
    next: 'Ask for access yourself.',
  },
  grant_ended: { meaning: 'The grant was ended.', next: 'Ask for access again.' },
  grant_expired: { meaning: 'The time of the grant is over.', next: 'Ask for access again.' },
  revocation_pending: {
    meaning: 'The grant is revoked, but the vault has not confirmed it yet; it is repeated until it does.',
    next: 'Call it again to wait for the confirmation.',
  },
  exists: { meaning: 'It is there already.', next: 'Use what is there, or another name.' },
  name_taken: { meaning: 'The name is in use.', next: 'Choose another one.' },
  in_use: {
    meaning: 'Other objects still need it.',
    next: 'Remove those first; the problem says which kind.',
  },
  rotation_in_progress: {
    meaning: 'A rotation of this entry is not over: the target may hold the old or the new password.',
    next: '`claviger entries rotations ENTRY` follows it; try again when it has ended.',
  },
  not_an_account: {
    meaning:
      'The entry is not an account on a resource with a connector, so that there is no target to change.',
    next: 'Give the entry a resource with a module, and a user name.',
  },
  module_disabled: { meaning: 'The connector is switched off.', next: 'Enable the module.' },
  no_account: {
    meaning: 'There is no account that the connector could log in with.',
    next: 'Create an entry on the resource, or give the resource an admin entry.',
  },
  no_resource: {
    meaning: 'The module has no resource to test with.',
    next: 'Create a resource with this module.',
  },
  no_admin_entry: {
    meaning:
      'Accounts can be discovered, and lost passwords be set, only with an admin entry on the resource.',
    next: 'Set one: `claviger resources update RESOURCE --admin-entry ENTRY`.',
  },
  not_sealed: {
    meaning:
      'The event is recorded, but stands under no signed tree head yet. That happens about every second.',
    next: 'Try again in a moment.',
  },
  invalid_credentials: {
    meaning: 'The user name, the password or the tenant is wrong; which of them is not told.',
    next: 'Try again with care: after several failures the account is locked for a while, except where you signed in before. `claviger login --recovery-code` opens it too.',
  },
  sign_in_slowed: {
    meaning:
      'There were wrong tries for this account from your address, so that it has to wait before the next.',
    next: 'Wait as long as Retry-After says.',
  },
  sign_in_busy: {
    meaning: 'Too many sign-ins are being checked at this moment.',
    next: 'Try again in a few seconds.',
  },
  token_missing: {
    meaning: 'The request carried no token.',
    next: 'Sign in with `claviger login`, or set CLAVIGER_TOKEN.',
  },
  token_invalid: {
    meaning: 'The token is not one that this server gave, or it was revoked.',
    next: 'Sign in again.',
  },
  token_expired: {
    meaning: 'The access token has run out.',
    next: 'The command line renews it by itself; else sign in again.',
  },
  session_revoked: {
    meaning: 'The session was ended: by logout, by an administrator, or with a change of rights.',
    next: 'Sign in again.',
  },
  session_expired: { meaning: 'The session has reached its end.', next: 'Sign in again.' },
  refresh_token_reused: {
    meaning: 'A refresh token was used twice, so that the whole session was ended: it may have been stolen.',
    next: 'Sign in again. If it was not you who used it, change your password and tell your administrators.',
  },
  refresh_in_progress: {
    meaning: 'The same refresh token was used a moment ago.',
    next: 'Use the tokens of the answer that came first, or sign in again.',
  },
  mfa_required: {
    meaning: 'The session still owes its second factor.',
    next: 'Sign in again and give the code.',
  },
  secrets_not_visible: {
    meaning:
      'The change would send secrets to another host or account, and you do not have full access to all of them.',
    next: 'Have somebody make the change who has full access to them, or the permission vault.entries.retrieve-any.',
  },
  approval_required: {
    meaning:
      'The change lowers a protection that a policy demands. It waits for the approvers of that policy.',
    next: 'Have the request that the answer names approved, then repeat the same change while the approval holds.',
  },
  would_benefit: {
    meaning:
      'Who owns or shares the entry, or may see every secret, gains from a lower protection and decides on none.',
    next: 'Ask an approver who has no access to the entry.',
  },
  owner_present: {
    meaning: 'An entry is adopted only once its owner was disabled or deleted.',
    next: 'Ask the owner to share the entry, or its holders of a manage share.',
  },
  resource_owner_adopts: {
    meaning: 'The entry belongs to a resource whose owner is an active user: they adopt it.',
    next: 'Ask them; `claviger resources show` names the owner.',
  },
  second_person_needed: {
    meaning: 'You have proposed this adoption. Another administrator must confirm it.',
    next: 'Ask another administrator to run `claviger entries adopt` for the same entry.',
  },
  insufficient_access: {
    meaning: 'Your access to the entry is lower than the one that this takes: view, modify or full.',
    next: 'Ask its owner, or somebody with a manage share, to do it or to share the entry with you.',
  },
  mfa_not_satisfied: {
    meaning: 'This needs a second factor proved within the last ten minutes.',
    next: 'Prove it with `claviger mfa prove` (whoever has none begins with `claviger mfa setup`), then repeat the command.',
  },
  platform_only: {
    meaning: 'The operation concerns the whole installation, not one tenant.',
    next: 'Sign in to the tenant `default` as one of its administrators.',
  },
  password_required: {
    meaning: 'Whoever adds a second factor proves the password within the five minutes before.',
    next: '`claviger mfa setup` asks for it; or sign in again.',
  },
  mfa_code_invalid: {
    meaning: 'The code of the second factor is wrong.',
    next: 'Take the code that is shown now, and check the clock of the device.',
  },
  mfa_code_malformed: {
    meaning:
      'A code has six digits; a recovery code has sixteen letters and digits. Blanks, dashes and case do not matter.',
    next: 'Give it as it is shown. A try that cannot be a code is not counted.',
  },
  mfa_code_used: { meaning: 'Each code serves once.', next: 'Wait for the next one.' },
  mfa_locked: { meaning: 'Too many wrong codes.', next: 'Wait as long as Retry-After says.' },
  mfa_not_set_up: { meaning: 'There is no second factor to prove.', next: 'Set one up first.' },
  exceeds_own_permissions: {
    meaning: 'Nobody gives away rights that they do not hold.',
    next: 'Ask somebody who holds them.',
  },
  not_responsible: {
    meaning: 'Only the person who is responsible for a machine makes tokens for it.',
    next: 'Ask that person, or take the machine over: `claviger users take-over MACHINE`.',
  },
  responsible_person_gone: {
    meaning: 'Nobody is responsible for the machine any more: that person is disabled or deleted.',
    next: 'Take it over (`claviger users take-over MACHINE`) and make a new token.',
  },
  password_not_own: {
    meaning: 'Too many accounts in a row have passwords that somebody else has set.',
    next: 'Choose a password of your own first.',
  },
  account_ending_pending: {
    meaning: 'What the account held has not been ended everywhere yet: workflow or the vault is away.',
    next: 'Wait a moment and try again; it is being repeated by itself.',
  },
  account_ended: {
    meaning: 'The account was disabled or deleted, or nobody is responsible for the machine.',
    next: 'Enable it (`claviger users enable USER`), or take the machine over.',
  },
  own_account: { meaning: 'This cannot be done to your own account.', next: 'Ask another administrator.' },
  not_for_api_tokens: {
    meaning: 'API tokens act for machines and may not do this.',
    next: 'Sign in as a person.',
  },
  last_administrator: {
    meaning: 'Nobody would be left who may administer.',
    next: 'Give the role administrator to another active person first.',
  },
  link_invalid: { meaning: 'The one-time link is unknown, used or too old.', next: 'Ask for a new one.' },
  already_set_up: {
    meaning: 'There is a user already, so that no first administrator is made.',
    next: 'Sign in as an administrator; one of them can add users.',
  },
  nobody_can_approve: {
    meaning:
      'Too few of the approvers whom the access policy names could still decide, so nothing was asked.',
    next: 'Have an administrator name other approvers: `claviger resources policy`.',
  },
  header_repeated: {
    meaning: 'A header that has one value was sent more than once. Two readers could each take another one.',
    next: 'Send each header once. A proxy in front may add one: look there.',
  },
  header_invalid: {
    meaning: 'A header that becomes a field has a value that cannot be one; the problem names it.',
    next: 'Send it as the hint says, or leave it out. A proxy in front may have set it: look there.',
  },
  target_unusable: {
    meaning:
      'The target could not be used. Why is shown to those who may change modules only, because it tells what can be reached.',
    next: 'Ask somebody with modules.update to test the module: claviger modules test MODULE.',
  },
  probe_budget_spent: {
    meaning: 'Another login that fails could lock the account on the target, so none is tried now.',
    next: 'Wait as long as the problem says, and find out what changed the password on the target.',
  },
  unproven: {
    meaning:
      'Somebody who does not own the resource named this account, and has not shown yet that its secret is right.',
    next: 'Verify it with its own current secret: `claviger entries verify`. Or have an owner of the resource accept it: `claviger entries accept`.',
  },
  already_proven: { meaning: 'The account is proven.', next: 'There is nothing to accept.' },
  not_resource_owner: {
    meaning: 'Only an owner of the resource may do this, and of all resources that reach the same target.',
    next: 'Ask its owner, somebody with full access to its admin entry, or an administrator.',
  },
  account_taken: {
    meaning:
      'Another entry holds this account of the target, perhaps in another spelling of host or user name.',
    next: 'Use that entry, or delete it first. The problem names it where you may see it.',
  },
  account_shared: {
    meaning: 'Two entries from a former release are for one account of a target.',
    next: 'Keep one and delete the other: a rotation would leave the other with a wrong secret.',
  },
  out_of_sync: {
    meaning:
      'The target refuses every password that is known, and the resource has no administrator who sets one.',
    next:
      'Set the password on the target by hand and store it: `claviger entries update ENTRY`; or give the resource an ' +
      'admin entry.',
  },
  not_rotatable: {
    meaning: 'The entry is not an account on a target, so that there is nothing to rotate.',
    next: 'Only password entries with a user name, of a resource with a module, can be rotated.',
  },
  username_taken: { meaning: 'There is a user of this name.', next: 'Choose another name.' },
  role_exists: { meaning: 'There is a role of this name.', next: 'Choose another name.' },
  role_in_use: {
    meaning: 'Somebody has this role.',
    next: 'Take it from its users first: `claviger users list --role ROLE` shows them.',
  },
  built_in_role: {
    meaning: 'Built-in roles cannot be changed.',
    next: 'Create a role of your own with the permissions that you need.',
  },
  current_password_wrong: {
    meaning: 'The current password is wrong, or the account is locked.',
    next: 'Check it, or ask an administrator for a reset.',
  },
  machine_user: {
    meaning: 'A machine has no password.',
    next: 'Create an API token for it: `claviger tokens create`.',
  },
  not_a_machine: {
    meaning: 'A token can be made for yourself or for a machine, not for another person.',
    next: 'People make their own tokens.',
  },
  user_disabled: {
    meaning: 'The user is disabled.',
    next: 'Enable the user first: `claviger users enable USER`.',
  },
  mfa_already_enabled: {
    meaning: 'There is a confirmed second factor.',
    next: 'Switch it off before setting up another.',
  },
  not_an_administrator: {
    meaning: 'The operator unlocks active administrators only.',
    next: 'An administrator unlocks the others: `claviger users unlock NAME`.',
  },
  unlocked_too_often: {
    meaning: 'The operator lifted the locks of this administrator five times within a short time.',
    next: 'Wait as long as the answer says, or name the address they sign in from: `claviger unlock-admin --from ADDRESS`.',
  },
  tenant_exists: { meaning: 'A tenant has this name.', next: 'Choose another one.' },
  liveness_unavailable: {
    meaning: 'The change is stored, but not every gateway knows of it yet.',
    next: 'Repeat it: doing it twice does no harm. It takes effect within a minute in any case.',
  },
  unconditional: { meaning: 'This operation cannot be made conditional.', next: 'Leave If-Match out.' },
  no_such_route: { meaning: 'The API has no such path.', next: 'See /openapi.json of the server.' },
  path_not_canonical: {
    meaning:
      'The path has doubled slashes, dots or needless escapes, which are refused before anything looks at it.',
    next: 'Write it plainly.',
  },
  uri_too_long: { meaning: 'The address of the request is too long.', next: 'Use fewer or shorter filters.' },
  headers_too_large: { meaning: 'The headers of the request are too large.', next: 'Send fewer of them.' },
};

/** Every code that a problem can carry. */
export const explanations: ReadonlyMap<string, Explanation> = new Map(
  Object.entries({ ...reasons, ...codes }),
);
