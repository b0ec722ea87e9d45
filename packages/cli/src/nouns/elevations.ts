import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { Noun, Running, Verb } from '../contract/noun.ts';

const id = '0b9d2c1e-6f0a-4a39-9f57-0a8d6e0f4c11';

const whatText = (row: elevation.ElevationRequest) =>
  row.targetExecutablePath ?? row.toolName ?? (row.flowType === 'tech_jit_admin' ? 'administrator' : '');
const whereText = (row: elevation.ElevationRequest) =>
  [row.deviceHostname, row.siteName].filter(Boolean).join(' at ');
const decidedBy = 'approvedByName|deniedByName|pamRuleName|matchedPolicyName|decisionSource';

/** Approves or denies a request after printing it. The digest binds the decision to the printed action. */
const respond = (decision: 'approve' | 'deny'): Verb => ({
  call: 'RespondToElevation',
  about: `${decision} a pending request of another user`,
  example: `elevations ${decision} ${id}${decision === 'approve' ? ' --for 30m' : ' --reason "not ours"'}`,
  fixed: { decision },
  flags: { reason: '', durationMinutes: decision === 'approve' && '--for <duration>' },
  prepare: async ({ invoke, tell }, request) => {
    const { request: seen } = await invoke<{ request: elevation.ElevationRequest }>(
      'GetElevationRequest',
      request,
    );
    tell(
      `${seen.subjectUsername ?? 'an unknown user'} requests ${whatText(seen)} on ${seen.deviceHostname ?? 'no device'}`,
    );
    return { actionDigest: seen.actionDigest };
  },
  line: '{id} is {status}',
});

export const noun: Noun = {
  about: 'requests for temporary administrator rights, and their decisions',
  services: ['ElevationRequestsService', 'DeviceActuationService', 'ToolActionsService'],
  id: 'request',
  views: {
    ElevationRequest: {
      columns: [
        'ID  id; STATUS  status; WHO  subjectUsername',
        ['WHAT', whatText],
        ['WHERE', whereText],
        'SINCE  requestedAt; UNTIL  expiresAt',
        `DECIDED BY  ${decidedBy}`,
      ],
      fields: [
        'request  id; status  status; kind  flowType; who  subjectUsername',
        ['what', whatText],
        'signed by  targetExecutableSigner; SHA-256  targetExecutableHash; started by  parentImage',
        ['where', whereText],
        'risk tier  riskTier; action  actionDigest; reason  reason; asked  requestedAt; decided  decidedAt',
        `decided by  ${decidedBy}`,
        'because  decisionReason; until  expiresAt; revoked by  revokedByName',
        'on the device  actuationOutcome',
      ],
    },
  },
  verbs: {
    list: {
      call: 'ListElevationRequests',
      example: 'elevations list --status pending --site HQ',
      flags: { flowType: '--flow <kind>' },
    },
    active: {
      call: 'ListActiveElevations',
      run: async ({ invoke }) => {
        const { active } = await invoke<{ active: readonly object[] }>('ListActiveElevations', {});
        return { items: active, totalItems: active.length };
      },
      rows: 'ElevationRequest',
    },
    request: {
      call: 'RequestElevation',
      example: 'elevations request WIN-ACCT-04 --for 30m --reason "printer driver"',
      words: 'deviceId',
    },
    approve: respond('approve'),
    deny: respond('deny'),
    revoke: {
      call: 'RevokeElevation',
      example: `elevations revoke ${id} --reason "no longer needed"`,
      line: '{id} is {status}',
    },
    actuate: {
      call: 'ActuateElevation',
      words: 'elevationRequestId',
      options: ['--device <device>  device, by host name or id; the device of the request when unset'],
      prepare: async ({ idOf, invoke, options }: Running, { elevationRequestId }) => {
        if (options.device !== undefined) return { id: await idOf('device', options.device) };
        const answer = await invoke<{ request: { deviceId?: string } }>('GetElevationRequest', {
          id: elevationRequestId,
        });
        return { id: answer.request.deviceId };
      },
      line: 'command {commandId} waits for the agent',
    },
  },
};
