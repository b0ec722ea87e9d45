import { readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';
import { Field, Message, Policy } from './generated/claviger/options/v1/options.ts';
import { HttpRule } from './generated/google/api/http.ts';
import type { FieldInfo, FieldKind, HttpBinding, MessageInfo, MethodInfo } from './method-info.ts';

const KINDS: ReadonlyMap<Type, FieldKind> = new Map([
  [Type.DOUBLE, 'double'],
  [Type.FLOAT, 'double'],
  [Type.INT64, 'integer'],
  [Type.UINT64, 'integer'],
  [Type.INT32, 'integer'],
  [Type.UINT32, 'integer'],
  [Type.BOOL, 'bool'],
  [Type.STRING, 'string'],
  [Type.BYTES, 'bytes'],
  [Type.MESSAGE, 'message'],
]);

const WELL_KNOWN: ReadonlyMap<string, FieldKind> = new Map([
  ['.google.protobuf.Timestamp', 'timestamp'],
  ['.google.protobuf.Struct', 'struct'],
]);

/** Numbers of our options and of `google.api.http` in descriptor options. */
const OPTION = { policy: 51001, field: 51002, message: 51003, http: 72295728 };

const { file: files } = fromBinary(
  FileDescriptorSetSchema,
  readFileSync(new URL('./generated/contract.binpb', import.meta.url)),
);

interface Options {
  readonly $unknown?: { readonly no: number; readonly data: Uint8Array }[] | undefined;
}

interface Codec<T> {
  decode(bytes: Uint8Array): T;
}

/** The value of an option; undefined when it is not declared. */
function optionOf<T>(options: Options | undefined, number: number, codec: Codec<T>): T | undefined {
  const found = options?.$unknown?.find(({ no }) => no === number);
  return found && codec.decode(new BinaryReader(found.data).bytes());
}

/** Field numbers of FileDescriptorProto and its parts. */
const IN_FILE = { message: 4, service: 6, field: 2, method: 2, nested: 3 };

/**
 * Leading comments of the declarations of a file, by their paths of field numbers and indexes in its
 * descriptor.
 */
function commentsOf(file: FileDescriptorProto): (...path: readonly number[]) => string {
  let texts: Map<string, string> | undefined;
  return (...path) => {
    texts ??= new Map(
      (file.sourceCodeInfo?.location ?? []).map((location) => [
        location.path.join(),
        location.leadingComments,
      ]),
    );
    return texts.get(path.join()) ?? '';
  };
}

interface Declared {
  readonly descriptor: DescriptorProto;
  readonly path: readonly number[];
  readonly comment: (...path: readonly number[]) => string;
}

const declared = new Map<string, Declared>();
for (const file of files) {
  const comment = commentsOf(file);
  const visit = (prefix: string, descriptor: DescriptorProto, path: readonly number[]): void => {
    const name = `${prefix}.${descriptor.name}`;
    declared.set(name, { descriptor, path, comment });
    for (const [index, nested] of descriptor.nestedType.entries())
      visit(name, nested, [...path, IN_FILE.nested, index]);
  };
  for (const [index, descriptor] of file.messageType.entries())
    visit(`.${file.package}`, descriptor, [IN_FILE.message, index]);
}

/** Computes a value on first use. */
function lazy<T>(compute: () => T): () => T {
  let known: { value: T } | undefined;
  return () => {
    known ??= { value: compute() };
    return known.value;
  };
}

const messages = new Map<string, MessageInfo>();

/** Describes fields on first use, so that messages may contain themselves. */
function messageInfo(typeName: string): MessageInfo {
  const known = messages.get(typeName);
  if (known) return known;
  const found = declared.get(typeName);
  if (!found) throw new Error(`The contract refers to ${typeName}, which no proto file declares.`);
  const { descriptor, comment, path } = found;
  const fields = lazy(() => descriptor.field.map((field, index) => fieldInfo(found, typeName, field, index)));
  const byJsonName = lazy(() => new Map(fields().map((field) => [field.jsonName, field])));
  const message = lazy(() => optionOf(descriptor.options, OPTION.message, Message));
  const info: MessageInfo = {
    name: typeName.slice(1),
    get comment() {
      return comment(...path);
    },
    get fields() {
      return fields();
    },
    get byJsonName() {
      return byJsonName();
    },
    get oneOf() {
      return (message()?.oneOf ?? []).map((names) => names.split(' '));
    },
    get rule() {
      return message()?.rule ?? '';
    },
  };
  messages.set(typeName, info);
  return info;
}

function fieldInfo(
  { descriptor, path, comment }: Declared,
  typeName: string,
  field: FieldDescriptorProto,
  index: number,
): FieldInfo {
  const wellKnown = field.type === Type.MESSAGE ? WELL_KNOWN.get(field.typeName) : undefined;
  const kind = wellKnown ?? KINDS.get(field.type);
  if (!kind)
    throw new Error(`${typeName}.${field.name}: field type ${field.type} is not used in this contract.`);
  const nested = kind === 'message' ? declared.get(field.typeName) : undefined;
  const rules = optionOf(field.options, OPTION.field, Field);
  // An absent index also reads as 0.
  const inOneof = Object.hasOwn(field, 'oneofIndex') && !field.proto3Optional;
  return {
    jsonName: field.jsonName,
    property: camel(field.name),
    protoName: field.name,
    kind,
    int32: field.type === Type.INT32 || field.type === Type.UINT32,
    comment: comment(...path, IN_FILE.field, index),
    ...(nested ? { message: messageInfo(field.typeName) } : {}),
    repeated: field.label === Label.REPEATED,
    map: nested?.descriptor.options?.mapEntry ?? false,
    optional: field.proto3Optional,
    ...(inOneof ? { oneof: camel(descriptor.oneofDecl[field.oneofIndex]!.name) } : {}),
    rules,
    public: rules?.public ?? false,
  };
}

function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function httpBindings(rule: HttpRule | undefined): HttpBinding[] {
  if (!rule) return [];
  const own = rule.pattern;
  if (!own || own.$case === 'custom')
    throw new Error('The contract uses get, put, post, patch and delete only.');
  const binding: HttpBinding = {
    method: own.$case.toUpperCase() as HttpBinding['method'],
    path: own.value,
    body: rule.body === '*',
    ...(rule.responseBody ? { responseBody: rule.responseBody } : {}),
  };
  return [binding, ...rule.additionalBindings.flatMap((additional) => httpBindings(additional))];
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function collect(): Map<string, MethodInfo> {
  const all = new Map<string, MethodInfo>();
  for (const file of files) {
    const scope = file.package;
    const comment = commentsOf(file);
    for (const [serviceIndex, service] of file.service.entries()) {
      for (const [methodIndex, method] of service.method.entries()) {
        const path = `/${scope}.${service.name}/${method.name}`;
        all.set(path, {
          path,
          get comment() {
            return comment(IN_FILE.service, serviceIndex, IN_FILE.method, methodIndex);
          },
          owner: scope.split('.')[1] ?? scope,
          service: `${scope}.${service.name}`,
          name: method.name,
          property: lowerFirst(method.name),
          request: messageInfo(method.inputType),
          response: messageInfo(method.outputType),
          responseStream: method.serverStreaming,
          policy: optionOf(method.options, OPTION.policy, Policy),
          http: httpBindings(optionOf(method.options, OPTION.http, HttpRule)),
        });
      }
    }
  }
  return all;
}

/** Every operation of the contract, by gRPC path. */
export const methods: ReadonlyMap<string, MethodInfo> = collect();

/** The operation with this gRPC path; throws when the contract has none. */
export function methodOf(path: string): MethodInfo {
  const method = methods.get(path);
  if (!method) throw new Error(`The contract has no method ${path}.`);
  return method;
}

/** The message with this full name, e.g. `claviger.vault.v1.Entry`; throws when the contract has none. */
export function messageOf(name: string): MessageInfo {
  return messageInfo(`.${name}`);
}

/** Operations of one gRPC service, e.g. `claviger.vault.v1.EntriesService`. */
export function methodsOfService(service: string): MethodInfo[] {
  return [...methods.values()].filter((method) => method.service === service);
}
