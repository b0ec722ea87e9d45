import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const main = join(import.meta.dirname, '../main.ts');
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-completion-'));
  writeFileSync(join(folder, 'claviger'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  chmodSync(join(folder, 'claviger'), 0o755);
  env = { PATH: `${folder}${delimiter}${process.env.PATH}`, HOME: folder, TERM: 'dumb' };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a script in a shell; undefined where the machine does not have the shell. */
function shell(name: string, args: readonly string[], script: string): string | undefined {
  const { error, stdout, stderr } = spawnSync(name, [...args, script], {
    env,
    encoding: 'utf8',
    cwd: folder,
  });
  if (error !== undefined) {
    console.warn(`NOT TESTED: completion in ${name}. Install ${name}.`);
    return undefined;
  }
  expect(stderr).toBe('');
  return stdout;
}

test('bash completes verbs and choices', () => {
  const complete = (words: string) => `
    COMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _claviger; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const script = `source <(claviger completion bash); ${complete('claviger entries ad')}; ${complete('claviger entries list --rotation-state a')}`;
  const offered = shell('bash', ['--norc', '-c'], script);
  if (offered !== undefined) expect(offered.trim().split('\n')).toEqual(['adopt', 'applying', 'ambiguous']);
});

test('zsh loads the script and asks the command for its words', () => {
  const script = `
    autoload -Uz compinit && compinit -u -d ${folder}/dump
    source <(claviger completion zsh)
    print -r -- $_comps[claviger]
    _describe() { print -rl -- \${(P)2}; }
    words=(claviger entries ad); CURRENT=3; _claviger`;
  const offered = shell('zsh', ['-f', '-c'], script);
  if (offered === undefined) return;
  expect(offered).toMatch(/^_claviger\nadopt:take over an entry .*\n$/);
});

test('fish completes verbs with what they do', () => {
  const offered = shell(
    'fish',
    ['--no-config', '-c'],
    'claviger completion fish | source; complete -C "claviger entries ad"',
  );
  if (offered === undefined) return;
  expect(offered).toMatch(/^adopt\ttake over an entry .*\n$/);
});
