import type { Noun, Running } from '../contract/noun.ts';
import { type AccessRequest, requestColumns, requestFields, subjectText } from '../contract/request-view.ts';
import { minutesText } from '../io/duration.ts';

/** The decision is bound by the digest to what was shown here. */
async function seen({ invoke, tell }: Running, { requestId }: Record<string, unknown>): Promise<object> {
  const { request } = await invoke<{ request: AccessRequest }>('GetRequest', { requestId });
  const { requesterName, requesterId, durationMinutes, reason, digest } = request;
  tell(
    `${requesterName || requesterId} asks for ${subjectText(request)} for ${minutesText(durationMinutes)}: ${reason}`,
  );
  return { digest };
}

export const noun: Noun = {
  about: 'list requests: your own, and those you may decide',
  services: ['RequestsService'],
  elsewhere: ['CreateRequest', 'ApproveRequest', 'DenyRequest', 'CancelRequest'],
  views: { AccessRequest: { columns: requestColumns, fields: requestFields } },
  own: {
    call: 'ListRequests',
    example: 'requests --decidable',
    flags: { decidable: 'only those that you could decide now' },
  },
  shortcuts: {
    approve: {
      call: 'ApproveRequest',
      about: 'approve a request of another person, for its time or a shorter one',
      example: 'approve 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --for 15m',
      flags: {
        digest: false,
        durationMinutes: '--for <duration>  grant a shorter time than was asked for',
        comment: 'what the requester and auditors read',
      },
      prepare: seen,
    },
    deny: {
      call: 'DenyRequest',
      about: 'deny a request',
      example: 'deny 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --comment "use the replica"',
      flags: { digest: false, comment: '--comment <text>  why; the requester and auditors read it' },
      prepare: seen,
    },
    cancel: {
      call: 'CancelRequest',
      about: 'take back your own pending request',
      example: 'cancel 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11',
    },
  },
  verbs: {
    show: {
      call: 'GetRequest',
      about: 'show one, with its decisions',
      example: 'requests show 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11',
    },
  },
};
