import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Reader } from '@claviger/database';
import type { Approver, OpenRequest } from '@claviger/evaluator';
import type { Actor } from '@claviger/service-kit';
import { sql } from 'kysely';
import { seesAllRequests } from '../requests/may-see.ts';
import type { WorkflowSchema } from '../schema.ts';

/** All users who may decide, by kind of request. */
export interface Deciders {
  readonly elevation: readonly devices.PermittedUser[];
  readonly access: readonly devices.PermittedUser[];
}

/** The oldest requests of each kind. */
const MAX_REQUESTS = 500;

/** The waiting requests that the reader may see, each with the users who may and may not decide it. */
export async function waitingRequests(
  reader: Reader<WorkflowSchema>,
  actor: Actor,
  deciders: Deciders,
): Promise<OpenRequest[]> {
  const elevations = await waitingElevations(reader, actor, deciders.elevation);
  if (!seesAllRequests(actor)) return elevations;
  return [...elevations, ...(await waitingForAccess(reader, deciders.access))];
}

async function waitingElevations(
  reader: Reader<WorkflowSchema>,
  { siteIds }: Actor,
  people: readonly devices.PermittedUser[],
): Promise<OpenRequest[]> {
  let query = reader
    .selectFrom('elevation_requests')
    .select(['id', 'site_id', 'subject_user_id', 'possible_user_ids', 'requester_id', 'requester_made_by'])
    .where('status', '=', 'pending')
    .where('expires_at', '>', sql<Date>`now()`);
  if (siteIds) query = query.where(sql<boolean>`site_id = ANY (${[...siteIds]}::uuid[])`);
  const rows = await query.orderBy('requested_at').limit(MAX_REQUESTS).execute();
  return rows.map((row) => ({
    id: row.id,
    excludedUserIds: [
      ...row.possible_user_ids,
      ...[row.subject_user_id, row.requester_id, row.requester_made_by].filter((id) => id !== null),
    ],
    approvers: people.filter((person) => reaches(person, row.site_id)).map(approverOf),
  }));
}

async function waitingForAccess(
  reader: Reader<WorkflowSchema>,
  people: readonly devices.PermittedUser[],
): Promise<OpenRequest[]> {
  const rows = await reader
    .selectFrom('requests')
    .select(['id', 'requester_id', 'requester_behind', 'steps', 'open_step'])
    .select((each) =>
      each
        .selectFrom('decisions')
        .select(
          sql<
            { user_id: string; behind: string[]; step: number }[]
          >`coalesce(jsonb_agg(jsonb_build_object('user_id', user_id, 'behind', user_behind, 'step', step)), '[]')`.as(
            'all',
          ),
        )
        .whereRef('decisions.request_id', '=', 'requests.id')
        .as('decided'),
    )
    .where('status', '=', 'pending')
    .where('expires_at', '>', sql<Date>`now()`)
    .orderBy('created_at')
    .limit(MAX_REQUESTS)
    .execute();
  const approvers = people.map(approverOf);
  return rows.map(({ id, requester_id, requester_behind, steps, open_step, decided }) => {
    const step = steps[open_step]!;
    const given = (decided ?? []).filter((decision) => decision.step === open_step).length;
    return {
      id,
      // A person and everything they are responsible for count once in a request, in all its steps together.
      excludedUserIds: [
        requester_id,
        ...requester_behind,
        ...(decided ?? []).flatMap(({ user_id, behind }) => [user_id, ...behind]),
      ],
      step: { ...step, quorum: Math.max(1, step.quorum - given) },
      approvers,
    };
  });
}

function reaches({ siteRestricted, siteIds }: devices.PermittedUser, siteId: string | null): boolean {
  return !siteRestricted || (siteId !== null && siteIds.includes(siteId));
}

export function approverOf({ id, roles, behind }: devices.PermittedUser): Approver {
  return { userId: id, roles, behind };
}
