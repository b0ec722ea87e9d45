import * as licence from '@claviger/contracts/auth/v1/licence';
import { say, tell } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, tableText, timeText } from './show.ts';
import { readText } from './text-input.ts';

const service = licence.LicenceService;

const limitColumns: readonly Column<licence.LicenseLimit>[] = [
  ['OF', (row) => row.name],
  ['USED', (row) => row.used ?? '?'],
  ['LIMIT', (row) => row.limit ?? 'none'],
  ['', (row) => (row.exceeded ? 'exceeded' : '')],
];

/** The command `licence show`. */
export function showLicence(options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    show((await api.call(service.getLicense, {})).license!, format);
  });
}

/** The command `licence apply`. */
export function applyLicence(file: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const license = (await readText(file)).trim();
    show((await api.call(service.applyLicense, { license })).license!, format);
  });
}

function show(license: licence.License, format: OutputFormat): void {
  if (format === 'json') return showJson(license);
  say(
    fieldsText([
      ['state', license.state],
      ['owner', license.owner],
      ['licence', license.id],
      ['installation', license.installationId],
      ['ends', timeText(license.expiresAt)],
      ['support until', timeText(license.supportUntil)],
      ['limits', license.enforce ? 'enforced' : 'reported only'],
    ]),
  );
  say(tableText(limitColumns, license.limits));
  if (license.hint) tell(license.hint);
}
