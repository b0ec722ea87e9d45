import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { registries } from './registries.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'registries-'));
  for (const path of ['notes/add-note.ts', 'notes/list-notes.ts', 'old/list-notes.ts']) {
    const file = join(root, 'services/desk/src', path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, '');
  }
});
afterAll(() => rmSync(root, { recursive: true }));

const file = (scope: string, ...service: { name: string; methods: string[] }[]) => ({
  descriptor: create(FileDescriptorProtoSchema, {
    package: `claviger.${scope}.v1`,
    service: service.map(({ name, methods }) => ({ name, method: methods.map((each) => ({ name: each })) })),
  }),
  code: `claviger/${scope}/v1/desk_notes.ts`,
});

test('the handler of an RPC is the function of its name in the file of its name', () => {
  const [registry, ...others] = registries(
    [
      file('desk', { name: 'NotesService', methods: ['AddNote'] }),
      file('elsewhere', { name: 'XService', methods: ['X'] }),
    ],
    root,
  );
  expect(others).toEqual([]);
  expect(registry).toMatchObject({ path: 'services/desk/src/registry.ts', problems: [] });
  expect(registry!.text).toContain("import * as deskNotes from '@claviger/contracts/desk/v1/desk_notes';");
  expect(registry!.text).toContain("import { addNote } from './notes/add-note.ts';");
  expect(registry!.text).toContain('  addNote: addNote(deps),');
  expect(registry!.text).toContain('  rpc.add(deskNotes.NotesService, notesService(deps));');
});

test('a missing or duplicate handler is reported and not imported', () => {
  const [registry] = registries(
    [
      file(
        'desk',
        { name: 'NotesService', methods: ['AddNote', 'ListNotes', 'RemoveNote'] },
        { name: 'PagesService', methods: ['AddNote'] },
      ),
    ],
    root,
  );
  expect(registry!.problems).toEqual([
    'NotesService.ListNotes: several files have its name. Rename all but one: notes/list-notes.ts, old/list-notes.ts',
    'NotesService.RemoveNote: no remove-note.ts in services/desk/src. Write it with its function removeNote, then run `pnpm generate`.',
    'PagesService.AddNote: another RPC of desk has this name. Give one of them a name of its own.',
  ]);
  expect(registry!.text).toContain('  listNotes: listNotes(deps),');
  expect(registry!.text).not.toMatch(/import \{ (?:listNotes|removeNote) \}/);
});
