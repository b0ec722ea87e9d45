import { operations } from '@claviger/api-client/operations';
import type { MethodInfo } from '@claviger/contracts';
import type { Noun, Verb } from './noun.ts';
import { kebab } from './texts.ts';

const shortName = (service: string) => service.split('.').at(-1)!;

/**
 * Name of the verb of an operation: `GetRole` is `roles show`, `ListTreeHeads` of the audit log is `audit
 * tree-heads`.
 */
function verbName({ name, service }: MethodInfo, id = ''): string {
  const noun = kebab(shortName(service).replace(/Service$/, ''));
  const things = new Set([noun, noun.replace(/ies$/, 'y'), noun.replace(/s$/, ''), id, `${id}s`]);
  const [verb = '', ...words] = kebab(name).split('-');
  const rest = things.has(words.join('-')) ? [] : words.filter((word) => !things.has(word));
  if (rest.length === 0) return { get: 'show', patch: 'update' }[verb] ?? verb;
  return verb === 'get' || verb === 'list' ? rest.join('-') : kebab(name);
}

/** Verbs derived from the contract: operations of the noun's services that no verb calls. */
export function derivedVerbs(noun: Noun): Record<string, Verb> {
  const served = new Set(noun.elsewhere);
  const note = (each: Noun): void => {
    for (const verb of Object.values(each.verbs)) served.add(verb.call);
    for (const verb of Object.values(each.shortcuts ?? {})) served.add(verb.call);
    if (each.own) served.add(each.own.call);
    for (const inner of Object.values(each.nouns ?? {})) note(inner);
  };
  note(noun);
  const derived: Record<string, Verb> = {};
  for (const info of operations.values()) {
    if (!noun.services.includes(shortName(info.service)) || served.has(info.name) || info.responseStream)
      continue;
    const name = verbName(info, noun.id);
    derived[name in noun.verbs || name in derived ? kebab(info.name) : name] = { call: info.name };
  }
  return derived;
}

/** Nouns derived from the contract: services that no noun of `nouns` contains. */
export function derivedNouns(nouns: Iterable<Noun>): Map<string, Noun> {
  const claimed = new Set(
    [...nouns].flatMap(function services(noun): string[] {
      return [...noun.services, ...Object.values(noun.nouns ?? {}).flatMap(services)];
    }),
  );
  const derived = new Map<string, Noun>();
  for (const { service } of operations.values()) {
    const name = shortName(service);
    if (claimed.has(name)) continue;
    const noun = kebab(name.replace(/Service$/, ''));
    derived.set(noun, { about: `operations of ${service}`, services: [name], verbs: {} });
  }
  return derived;
}
