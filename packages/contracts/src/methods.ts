import { protoMetadata as auditMetadata } from './generated/claviger/audit/v1/audit.ts';
import { protoMetadata as breakglassAuditMetadata } from './generated/claviger/audit/v1/breakglass_audit.ts';
import { protoMetadata as complianceMetadata } from './generated/claviger/audit/v1/compliance.ts';
import { protoMetadata as siemMetadata } from './generated/claviger/audit/v1/siem.ts';
import { protoMetadata as tenantLogMetadata } from './generated/claviger/audit/v1/tenant_log.ts';
import { protoMetadata as anomaliesMetadata } from './generated/claviger/auth/v1/anomalies.ts';
import { protoMetadata as authMetadata, type ProtoMetadata } from './generated/claviger/auth/v1/auth.ts';
import { protoMetadata as clusterAdminMetadata } from './generated/claviger/auth/v1/cluster_admin.ts';
import { protoMetadata as devicesMetadata } from './generated/claviger/auth/v1/devices.ts';
import { protoMetadata as emergencyStandingMetadata } from './generated/claviger/auth/v1/emergency_standing.ts';
import { protoMetadata as authEvidenceMetadata } from './generated/claviger/auth/v1/evidence.ts';
import { protoMetadata as licenceMetadata } from './generated/claviger/auth/v1/licence.ts';
import { protoMetadata as settingsMetadata } from './generated/claviger/auth/v1/settings.ts';
import { protoMetadata as tenantsMetadata } from './generated/claviger/auth/v1/tenants.ts';
import { protoMetadata as updatesMetadata } from './generated/claviger/auth/v1/updates.ts';
import { protoMetadata as callsMetadata } from './generated/claviger/cluster/v1/calls.ts';
import { protoMetadata as clusterMetadata } from './generated/claviger/cluster/v1/health.ts';
import { protoMetadata as replicasMetadata } from './generated/claviger/cluster/v1/replicas.ts';
import { protoMetadata as restoreMetadata } from './generated/claviger/cluster/v1/restore.ts';
import { protoMetadata as schemaMetadata } from './generated/claviger/cluster/v1/schema.ts';
import { protoMetadata as sealMetadata } from './generated/claviger/cluster/v1/seal.ts';
import { protoMetadata as tenantStandingMetadata } from './generated/claviger/cluster/v1/tenant_standing.ts';
import type { Field, Message, Policy } from './generated/claviger/options/v1/options.ts';
import { protoMetadata as emergencyMetadata } from './generated/claviger/vault/v1/emergency.ts';
import { protoMetadata as encryptionMetadata } from './generated/claviger/vault/v1/encryption.ts';
import { protoMetadata as vaultEvidenceMetadata } from './generated/claviger/vault/v1/evidence.ts';
import { protoMetadata as exposureMetadata } from './generated/claviger/vault/v1/exposure.ts';
import { protoMetadata as tenantKeysMetadata } from './generated/claviger/vault/v1/tenant_keys.ts';
import { protoMetadata as vaultMetadata } from './generated/claviger/vault/v1/vault.ts';
import { protoMetadata as accountStandingMetadata } from './generated/claviger/workflow/v1/account_standing.ts';
import { protoMetadata as assistantMetadata } from './generated/claviger/workflow/v1/assistant.ts';
import { protoMetadata as breakglassMetadata } from './generated/claviger/workflow/v1/breakglass.ts';
import { protoMetadata as elevationMetadata } from './generated/claviger/workflow/v1/elevation.ts';
import { protoMetadata as emergencyNoticeMetadata } from './generated/claviger/workflow/v1/emergency_notice.ts';
import { protoMetadata as workflowEvidenceMetadata } from './generated/claviger/workflow/v1/evidence.ts';
import { protoMetadata as explanationsMetadata } from './generated/claviger/workflow/v1/explanations.ts';
import { protoMetadata as rulesMetadata } from './generated/claviger/workflow/v1/rules.ts';
import { protoMetadata as workflowMetadata } from './generated/claviger/workflow/v1/workflow.ts';
import type { HttpRule } from './generated/google/api/http.ts';
import { protoMetadata as httpBodyMetadata } from './generated/google/api/httpbody.ts';
import type { FieldInfo, FieldKind, HttpBinding, MessageInfo, MethodInfo } from './method-info.ts';

const TYPE = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  bool: 8,
  string: 9,
  message: 11,
  bytes: 12,
  uint32: 13,
};

const KINDS: ReadonlyMap<number, FieldKind> = new Map([
  [TYPE.double, 'double'],
  [TYPE.float, 'double'],
  [TYPE.int64, 'integer'],
  [TYPE.uint64, 'integer'],
  [TYPE.int32, 'integer'],
  [TYPE.uint32, 'integer'],
  [TYPE.bool, 'bool'],
  [TYPE.string, 'string'],
  [TYPE.bytes, 'bytes'],
  [TYPE.message, 'message'],
]);

const WELL_KNOWN: ReadonlyMap<string, FieldKind> = new Map([
  ['.google.protobuf.Timestamp', 'timestamp'],
  ['.google.protobuf.Struct', 'struct'],
]);

const files = [
  breakglassAuditMetadata,
  emergencyStandingMetadata,
  emergencyNoticeMetadata,
  auditMetadata,
  complianceMetadata,
  siemMetadata,
  authMetadata,
  anomaliesMetadata,
  clusterAdminMetadata,
  authEvidenceMetadata,
  callsMetadata,
  clusterMetadata,
  licenceMetadata,
  replicasMetadata,
  restoreMetadata,
  schemaMetadata,
  sealMetadata,
  tenantsMetadata,
  tenantLogMetadata,
  tenantStandingMetadata,
  accountStandingMetadata,
  tenantKeysMetadata,
  settingsMetadata,
  updatesMetadata,
  vaultMetadata,
  vaultEvidenceMetadata,
  emergencyMetadata,
  encryptionMetadata,
  workflowMetadata,
  assistantMetadata,
  breakglassMetadata,
  workflowEvidenceMetadata,
  devicesMetadata,
  elevationMetadata,
  explanationsMetadata,
  rulesMetadata,
  exposureMetadata,
  httpBodyMetadata,
] as unknown as readonly ProtoMetadata[];

type Descriptor = ProtoMetadata['fileDescriptor']['messageType'][number];

type Comment = (...path: readonly number[]) => string;

/** Comments that stand before a declaration, by its path of field numbers and indexes in the file's descriptor. */
function commentsOf(file: ProtoMetadata): Comment {
  const texts = new Map(
    (file.fileDescriptor.sourceCodeInfo?.location ?? []).map((location) => [
      location.path.join(),
      location.leadingComments.trim().replaceAll(/\s*\n\s*/g, ' '),
    ]),
  );
  return (...path) => texts.get(path.join()) ?? '';
}

/** Field numbers of FileDescriptorProto and its parts. */
const IN_FILE = { message: 4, service: 6, field: 2, method: 2, nested: 3 };

interface Described {
  readonly descriptor: Descriptor;
  readonly options: ReadonlyMap<string, Field>;
  readonly message: Message | undefined;
  readonly path: readonly number[];
  readonly comment: Comment;
  /** The generated message with nothing in it. */
  readonly empty: () => object;
}

const descriptors = new Map<string, Described>();
for (const file of files) {
  const scope = file.fileDescriptor.package;
  const comment = commentsOf(file);
  const visit = (prefix: string, descriptor: Descriptor, path: readonly number[]): void => {
    const name = `${prefix}.${descriptor.name}`;
    const { fields = {}, options: own } = file.options?.messages?.[descriptor.name] ?? {};
    const message = own?.message as Message | undefined;
    const options = new Map(
      Object.entries(fields).flatMap(([key, value]) => (value.field ? [[key, value.field as Field]] : [])),
    );
    const codec = file.references[name] as { decode(bytes: Uint8Array): object } | undefined;
    const empty = () => codec?.decode(new Uint8Array()) ?? {};
    descriptors.set(name, { descriptor, options, message, path, comment, empty });
    descriptor.nestedType.forEach((nested, index) => {
      visit(name, nested, [...path, IN_FILE.nested, index]);
    });
  };
  file.fileDescriptor.messageType.forEach((descriptor, index) => {
    visit(`.${scope}`, descriptor, [IN_FILE.message, index]);
  });
}

const messages = new Map<string, MessageInfo>();

/** Looked up lazily in the list of fields, so that messages may contain themselves. */
function messageInfo(typeName: string): MessageInfo {
  const known = messages.get(typeName);
  if (known) return known;
  const found = descriptors.get(typeName);
  if (!found) throw new Error(`The contract refers to ${typeName}, which no proto file declares.`);
  const fields: FieldInfo[] = [];
  const byJsonName = new Map<string, FieldInfo>();
  const info: MessageInfo = {
    name: typeName.slice(1),
    comment: found.comment(...found.path),
    fields,
    byJsonName,
    oneOf: (found.message?.oneOf ?? []).map((names) => names.split(' ')),
    rule: found.message?.rule ?? '',
  };
  messages.set(typeName, info);
  for (const [index, field] of found.descriptor.field.entries()) {
    const wellKnown = field.type === TYPE.message ? WELL_KNOWN.get(field.typeName) : undefined;
    const kind = wellKnown ?? KINDS.get(field.type);
    if (!kind)
      throw new Error(`${typeName}.${field.name}: field type ${field.type} is not used in this contract.`);
    const nested = kind === 'message' ? descriptors.get(field.typeName) : undefined;
    const rules = found.options.get(field.name);
    const oneof =
      field.proto3Optional || !inOneof(found, field)
        ? undefined
        : found.descriptor.oneofDecl[field.oneofIndex]?.name;
    const fieldInfo: FieldInfo = {
      jsonName: field.jsonName,
      property: camel(field.name),
      protoName: field.name,
      kind,
      int32: field.type === TYPE.int32 || field.type === TYPE.uint32,
      comment: found.comment(...found.path, IN_FILE.field, index),
      ...(nested ? { message: messageInfo(field.typeName) } : {}),
      repeated: field.label === 3,
      map: nested?.descriptor.options?.mapEntry ?? false,
      optional: field.proto3Optional,
      ...(oneof ? { oneof: camel(oneof) } : {}),
      rules,
      public: rules?.public ?? false,
    };
    fields.push(fieldInfo);
    byJsonName.set(fieldInfo.jsonName, fieldInfo);
  }
  return info;
}

/**
 * The generated descriptor writes 0 for "no oneof" too, so that its index 0 says nothing. The generated message does: a
 * member of a oneof has no property of its own on it.
 */
function inOneof({ descriptor, empty }: Described, field: Descriptor['field'][number]): boolean {
  if (descriptor.oneofDecl.length === 0) return false;
  return !Object.hasOwn(empty(), camel(field.name));
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
    const scope = file.fileDescriptor.package;
    const comment = commentsOf(file);
    for (const [serviceIndex, service] of file.fileDescriptor.service.entries()) {
      for (const [methodIndex, method] of service.method.entries()) {
        const options = file.options?.services?.[service.name]?.methods?.[method.name];
        const path = `/${scope}.${service.name}/${method.name}`;
        all.set(path, {
          path,
          comment: comment(IN_FILE.service, serviceIndex, IN_FILE.method, methodIndex),
          owner: scope.split('.')[1] ?? scope,
          service: `${scope}.${service.name}`,
          name: method.name,
          property: lowerFirst(method.name),
          request: messageInfo(method.inputType),
          response: messageInfo(method.outputType),
          responseStream: method.serverStreaming,
          policy: options?.policy as Policy | undefined,
          http: httpBindings(options?.http as HttpRule | undefined),
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

/** Operations of one gRPC service, e.g. `claviger.vault.v1.EntriesService`. */
export function methodsOfService(service: string): MethodInfo[] {
  return [...methods.values()].filter((method) => method.service === service);
}
