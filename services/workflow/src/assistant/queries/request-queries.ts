import { z } from 'zod';
import type { Question } from '../question.ts';
import { requestLine, subject, time } from './lines.ts';
import { defineQuery, SHOWN } from './query.ts';

const STATUSES = ['pending', 'approved', 'denied', 'cancelled', 'expired'] as const;
const STATUS_WORDS: readonly [RegExp, (typeof STATUSES)[number]][] = [
  [/\b(?:pending|waiting|open|undecided)\b/, 'pending'],
  [/\b(?:denied|refused|rejected)\b/, 'denied'],
  [/\bapproved\b/, 'approved'],
  [/\b(?:cancelled|canceled|withdrawn)\b/, 'cancelled'],
  [/\b(?:expired|lapsed)\b/, 'expired'],
];
const statusIn = ({ text }: Question) => STATUS_WORDS.find(([word]) => word.test(text))?.[1];
const asksWhoDecides = (text: string): boolean =>
  /\bwho (?:can|may|must|could|should|will|has to|is (?:able|allowed) to) (?:approve|decide)|\bwho (?:approves|decides)|\bwhose approval|\bapprovers? (?:of|for) /.test(
    text,
  );

export const requestsToDecide = defineQuery({
  name: 'requests-to-decide',
  description: 'Requests of others that wait for a decision of yours',
  example: 'What is waiting for me?',
  permission: 'requests.read',
  parameters: z.strictObject({}),
  heading: 'Requests that you may decide now',
  match: ({ text }) =>
    /\bwait\w* (?:for|on) (?:me|my)\b|\b(?:can|may|should|must|do) i (?:have to )?(?:approve|decide)\b|\brequests? (?:for me )?to (?:approve|decide)\b|\bmy (?:queue|inbox)\b|\b(?:needs?|need) my (?:approval|decision)/.test(
      text,
    ) && !/^how\b/.test(text)
      ? {}
      : undefined,
  run: async (_, { reads, context }) => {
    const { items = [], totalItems = items.length } = await reads.listRequests(
      { decidable: true, pageSize: SHOWN },
      context,
    );
    return {
      lines: items.map((each) => requestLine(each, true)),
      total: totalItems,
      none: 'No request waits for a decision of yours.',
    };
  },
});

export const myRequests = defineQuery({
  name: 'my-requests',
  description: 'Requests that you made, newest first',
  example: 'Which of my requests were denied?',
  permission: 'requests.read',
  parameters: z.strictObject({ status: z.enum(STATUSES).optional() }),
  heading: 'Your requests, newest first',
  match: (question) => {
    const mine =
      /\bmy (?:\w+ ){0,2}requests?\b|\brequests? (?:of mine|(?:that )?i (?:made|have|sent|asked))|\b(?:what|which \w+) (?:did|have) i (?:ask|request)/;
    if (!mine.test(question.text) || asksWhoDecides(question.text) || question.ids.length > 0)
      return undefined;
    const status = statusIn(question);
    return status ? { status } : {};
  },
  run: async ({ status }, { reads, context }) => {
    const { items = [], totalItems = items.length } = await reads.listRequests(
      { userId: context.actor.userId, status: status ?? '', pageSize: SHOWN },
      context,
    );
    return {
      lines: items.map((each) => requestLine(each, false)),
      total: totalItems,
      none: `You have made no ${status ?? ''} request.`.replace('  ', ' '),
    };
  },
});

export const requestState = defineQuery({
  name: 'request-state',
  description: 'The status of one request, with its decisions and their comments',
  example: 'What became of request 00000000-0000-0000-0000-000000000000?',
  permission: 'requests.read',
  parameters: z.strictObject({ requestId: z.uuid() }),
  heading: 'The request',
  match: ({ text, ids }) =>
    ids.length > 0 && /\brequests?\b/.test(text) && !asksWhoDecides(text)
      ? { requestId: ids[0]! }
      : undefined,
  run: async ({ requestId }, { reads, context }) => {
    const { request } = await reads.getRequest({ requestId }, context);
    return { lines: request ? [requestLine(request, true)] : [], total: 1, none: '' };
  },
});

export const requestApprovers = defineQuery({
  name: 'request-approvers',
  description: 'Who may approve a request: the one named, or your newest that waits',
  example: 'Who can approve my request?',
  permission: 'requests.read',
  parameters: z.strictObject({ requestId: z.uuid().optional() }),
  heading: 'Who may approve',
  match: ({ text, ids }) => (asksWhoDecides(text) ? (ids[0] ? { requestId: ids[0] } : {}) : undefined),
  run: async ({ requestId }, { reads, context }) => {
    const request = requestId
      ? (await reads.getRequest({ requestId }, context)).request
      : (
          await reads.listRequests(
            {
              userId: context.actor.userId,
              status: 'pending',
              pageSize: 1,
              sortOrder: 'desc',
              sortBy: 'createdAt',
            },
            context,
          )
        ).items?.[0];
    if (!request)
      return { lines: [], total: 0, none: 'None of your requests is pending; name another one by its id.' };
    const about = `${subject(request)}, asked ${time(request.createdAt)}, ${request.status}, request ${request.id}`;
    const steps = (request.steps ?? []).map(
      (step) => `step "${step.name}": ${step.approvals ?? 0} of ${step.quorum} approvals, ${step.state}`,
    );
    return { lines: [about, ...steps, ...(await whoMay(request.resourceId ?? ''))], total: 1, none: '' };

    async function whoMay(resourceId: string): Promise<string[]> {
      const rule = 'nobody decides on their own request, and everybody needs the permission requests.decide';
      if (resourceId === '') return [`anyone with requests.decide; ${rule}`];
      try {
        const { policy } = await reads.getAccessPolicy({ resourceId }, context);
        const named = await Promise.all(
          (policy?.steps ?? []).map(async (step) => {
            const roles = (step.approverRoles ?? []).map((role) => `the role ${role}`);
            const users = await Promise.all((step.approverUserIds ?? []).slice(0, 10).map(nameOf));
            return `by today's policy, "${step.name}": ${[...roles, ...users].join(', ') || 'anyone with requests.decide'}`;
          }),
        );
        return [...named, rule];
      } catch (error) {
        if ((error as { reason?: string }).reason !== 'denied') throw error;
        return [`the approvers in the policy, which you may not see (access-policies.read); ${rule}`];
      }
    }

    async function nameOf(userId: string): Promise<string> {
      try {
        return (await reads.getUser({ userId }, context)).user?.username ?? userId;
      } catch (error) {
        const { reason } = error as { reason?: string };
        if (reason !== 'denied' && reason !== 'not_found') throw error;
        return `user ${userId}`;
      }
    }
  },
});
