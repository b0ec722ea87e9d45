import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import type { Noun } from '../contract/noun.ts';

const id = '0b9d2c1e-6f0a-4a39-9f57-0a8d6e0f4c11';
const session = 'sessionId=session';
const logged = 'it stands in the audit log';

const covers = ({ allEntries, entryIds, resourceIds }: breakglass.BreakglassSession) =>
  allEntries ? 'every entry' : `${entryIds.length + resourceIds.length} entries and resources named`;

export const noun: Noun = {
  about: 'emergency access: open it, end it, review it, test it',
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
        'sealed codes  unusedCodes; without review  unreviewed',
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
      about: 'whether it is open, and for whom',
      table: 'openSessions',
    },
    activate: {
      call: 'ActivateBreakglass',
      about: 'open emergency access, with an offline code or the confirmation of another person',
      example: 'breakglass activate --reason "the cluster does not start" --resource db1 --sealed-code',
      flags: {
        reason: '--reason <text>!  why; everybody who reviews it reads this',
        allEntries: 'for every entry of the tenant',
        entryIds: 'for this entry, by name or id',
        resourceIds: 'for the entries of this resource, by name or id',
        durationMinutes: '--minutes <n>  for how long; as the policy says when absent',
        sealedCode: false,
      },
      options: [
        '--sealed-code  ask for an offline code',
        '--sealed-code-stdin  read an offline code from standard input',
      ],
      code: true,
      prepare: async ({ options }) => {
        const { sealedCode, sealedCodeStdin } = options;
        if (!sealedCode && !sealedCodeStdin) return {};
        const { readCode } = await import('../io/read-code.ts');
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
          ? `another person confirms it within 15 minutes: claviger breakglass confirm ${answer.id}`
          : '',
    },
    confirm: {
      call: 'ConfirmBreakglass',
      about: 'open what another person asked for',
      words: session,
      flags: { comment: logged },
      code: true,
    },
    deactivate: {
      call: 'DeactivateBreakglass',
      about: 'end it: your own, or with breakglass.manage that of anybody',
      example: 'breakglass deactivate --reason "repaired"',
      flags: {
        sessionId: '--session <id>  which one; your own open one when absent',
        reason: '--reason <text>  why it ends',
      },
    },
    sessions: {
      call: 'ListBreakglassSessions',
      about: 'list what was opened and what became of it',
      example: 'breakglass sessions --state expired',
    },
    review: {
      call: 'ReviewBreakglassSession',
      about: 'write what came of a session that has ended, as neither who opened nor who confirmed it',
      example: `breakglass review ${id} --text "justified"`,
      words: session,
      flags: { review: '--text <text>!  the finding' },
    },
    codes: {
      call: 'CreateBreakglassCodes',
      about: 'make offline codes and print them this once; former unused ones stop working',
      example: 'breakglass codes --count 5 --reason "new envelopes"',
      flags: { count: 'how many; 5 when absent', reason: `--reason <text>!  ${logged}` },
      code: true,
      told: 'offline codes, shown once; each opens emergency access one time. Former unused ones stop working:',
      line: '{codes}',
    },
    drill: {
      call: 'RunBreakglassDrill',
      about: 'try every step without opening anything, and keep the result as evidence',
      example: 'breakglass drill --comment "quarterly"',
      flags: { comment: logged },
      table: 'steps',
      after: 'the drill {passed?passed:FAILED}',
      exit: ({ passed }: { passed: boolean }) => (passed ? 0 : 1),
    },
    drills: {
      call: 'ListBreakglassDrills',
      about: 'list the drills',
    },
  },
};
