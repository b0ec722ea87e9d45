import { minutesText } from '@claviger/terminal/duration';
import type { Noun, Running } from '../contract/noun.ts';
import { type AccessRequest, requestColumns, requestFields, subjectText } from '../contract/request-view.ts';

/** Prints the request; its digest binds the decision to what was printed. */
async function seen({ invoke, tell }: Running, { requestId }: Record<string, unknown>): Promise<object> {
  const { request } = await invoke<{ request: AccessRequest }>('GetRequest', { requestId });
  const { requesterName, requesterId, durationMinutes, reason, digest } = request;
  tell(
    `${requesterName || requesterId} requests ${subjectText(request)} for ${minutesText(durationMinutes)}: ${reason}`,
  );
  return { digest };
}

export const noun: Noun = {
  about: 'list requests: your own, and those you can decide',
  services: ['RequestsService'],
  elsewhere: ['CreateRequest', 'ApproveRequest', 'DenyRequest', 'CancelRequest'],
  views: { AccessRequest: { columns: requestColumns, fields: requestFields } },
  own: {
    call: 'ListRequests',
    example: 'requests --decidable',
  },
  shortcuts: {
    approve: {
      call: 'ApproveRequest',
      about: "approve another person's request, for the requested or a shorter time",
      example: 'approve 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --for 15m',
      prepare: seen,
    },
    deny: {
      call: 'DenyRequest',
      about: 'deny a request',
      example: 'deny 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --comment "use the replica"',
      prepare: seen,
    },
    cancel: {
      call: 'CancelRequest',
      about: 'cancel your own pending request',
      example: 'cancel 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11',
    },
  },
  verbs: {},
};
