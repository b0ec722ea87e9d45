import * as vault from '@claviger/contracts/vault/v1/vault';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { say } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { moduleId, resourceId } from './find-by-name.ts';
import { readJsonFile } from './json-file.ts';
import { listItems } from './paging.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, showJson, tableText, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface ModuleListOptions extends ConnectionOptions, ListOptions {
  readonly search?: string;
}
export interface ModuleCreateOptions extends ConnectionOptions {
  readonly type: string;
  /** File with JSON. */
  readonly config: string;
}
export interface ModuleTestOptions extends ConnectionOptions {
  readonly resource?: string;
}

const service = vault.ModulesService;

const columns: readonly Column<vault.Module>[] = [
  ['ID', (row) => row.id],
  ['NAME', (row) => row.name],
  ['TYPE', (row) => row.type],
  ['ENABLED', (row) => (row.enabled ? 'yes' : 'no')],
  ['STATUS', (row) => row.status],
  ['TESTED', (row) => timeText(row.testedAt)],
  ['PROBLEM', (row) => row.statusProblem],
];

export function listModules(options: ModuleListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { search = '' } = options;
    showList(await listItems(api, service.listModules, { search }, options), columns, format);
  });
}

export function createModule(name: string, options: ModuleCreateOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const config = await readJsonFile(options.config);
    const { module } = await api.call(service.createModule, { name, type: options.type, config });
    if (format === 'json') return showJson(module);
    say(tableText(columns, [module!]));
  });
}

/** Exit code 0 only when the connector got through. */
export function testModule(name: string, options: ModuleTestOptions): Promise<ExitCode> {
  return withSession(options, async ({ api, format }) => {
    const { resource } = options;
    const result = await api.call(service.testModule, {
      moduleId: await moduleId(api, name),
      ...(resource === undefined ? {} : { resourceId: await resourceId(api, resource) }),
    });
    if (format === 'json') showJson(result);
    else {
      say(
        fieldsText([
          ['result', result.ok ? 'ok' : 'failing'],
          ['took', `${result.latencyMs} ms`],
          ['server', result.serverVersion],
          ['problem', result.problem],
          ['next', result.hint],
        ]),
      );
    }
    return result.ok ? EXIT.ok : EXIT.error;
  });
}
