import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import type { Noun } from '../contract/noun.ts';

const id = '0b9d2c1e-6f0a-4a39-9f57-0a8d6e0f4c11';

const covers = ({ allEntries, entryIds, resourceIds }: breakglass.BreakglassSession) =>
  allEntries ? 'every entry' : `${entryIds.length + resourceIds.length} entries and resources named`;

export const noun: Noun = {
  about: 'open, end, review and test emergency access',
  services: ['BreakglassService', 'BreakglassAuditService'],
  views: {
    BreakglassSession: {
      columns: [
        'ID  id; STATE  state; WHO  userName; OPENED BY  confirmedByName|openedBy; REQUESTED  requestedAt',
        'UNTIL  endedAt|expiresAt; SEEN  disclosed; REVIEW  reviewedByName; REASON  reason',
      ],
      fields: (row: breakglass.BreakglassSession) => [
        'session  id; state  state; who  userName; reason  reason',
        ['covers', covers],
        'opened by  openedBy; confirmed by  confirmedByName; until  endedAt|expiresAt',
        ...(row.endedAt
          ? ['seen  disclosed', 'rotations  rotationsQueued', 'to change by hand  rotationsImpossible']
          : []),
        'review  review',
      ],
    },
    GetBreakglassStatusResponse: {
      fields: [
        'emergency access  active?OPEN:closed; opened by  mode; at most  {maximumMinutes} minutes',
        'offline codes  unusedCodes; without review  unreviewed',
        [
          'last drill',
          (row: { lastDrillAt?: string; lastDrillPassed: boolean }) =>
            row.lastDrillAt &&
            `${row.lastDrillAt.replace(/\.\d+Z$/, 'Z').replace('T', ' ')}, ${row.lastDrillPassed ? 'passed' : 'failed'}`,
        ],
      ],
    },
    BreakglassDrillStep: {
      columns: ['STEP  name', 'NODE  node', 'RESULT  ok?ok:failing', 'TOOK  {tookMs} ms', 'PROBLEM  problem'],
    },
  },
  verbs: {
    status: {
      call: 'GetBreakglassStatus',
      table: 'openSessions',
    },
    activate: {
      call: 'ActivateBreakglass',
      example: 'breakglass activate --reason "the cluster does not start" --resource db1 --sealed-code',
      flags: {
        durationMinutes: '--minutes <n>  duration; the maximum of the policy when unset',
        sealedCode: false,
      },
      options: [
        '--sealed-code  prompt for an offline code',
        '--sealed-code-stdin  read an offline code from standard input',
      ],
      code: true,
      prepare: async ({ options }) => {
        const { sealedCode, sealedCodeStdin } = options;
        if (!sealedCode && !sealedCodeStdin) return {};
        const { readCode } = await import('@claviger/terminal/read-code');
        const otherWay = 'give the code with --sealed-code-stdin';
        return {
          sealedCode: await readCode({
            fromStdin: sealedCodeStdin === true,
            question: 'Offline code: ',
            otherWay,
          }),
        };
      },
      after: (answer: { id: string; state: string }) =>
        answer.state === 'awaiting-confirmation'
          ? `another person must confirm it within 15 minutes: claviger breakglass confirm ${answer.id}`
          : '',
    },
    confirm: { call: 'ConfirmBreakglass', code: true },
    deactivate: {
      call: 'DeactivateBreakglass',
      example: 'breakglass deactivate --reason "repaired"',
      flags: { sessionId: '--session <id>' },
    },
    review: {
      call: 'ReviewBreakglassSession',
      example: `breakglass review ${id} --text "justified"`,
      flags: { review: '--text <text>!' },
    },
    codes: {
      call: 'CreateBreakglassCodes',
      example: 'breakglass codes --count 5 --reason "new envelopes"',
      code: true,
      told: 'offline codes, shown once; each opens emergency access once. Unused earlier codes stop working:',
      line: '{codes}',
    },
    drill: {
      call: 'RunBreakglassDrill',
      example: 'breakglass drill --comment "quarterly"',
      table: 'steps',
      after: 'the drill {passed?passed:FAILED}',
      exit: ({ passed }: { passed: boolean }) => (passed ? 0 : 1),
    },
  },
};
