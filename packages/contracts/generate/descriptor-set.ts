import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  SourceCodeInfo_LocationSchema,
} from '@bufbuild/protobuf/wkt';

/** A proto file and its generated file. */
export interface ProtoFile {
  readonly descriptor: FileDescriptorProto;
  /** Path of the generated file below src/generated, e.g. `claviger/vault/v1/vault.ts`. */
  readonly code: string;
}

export interface Contract {
  /** The descriptor set that is loaded at run time. */
  readonly bytes: Uint8Array;
  readonly files: readonly ProtoFile[];
  /** Keyed by full name with a leading dot, as in descriptors. */
  readonly fileOfMessage: ReadonlyMap<string, ProtoFile>;
}

/**
 * Reads the image of `buf build`, without what is unused at run time: positions, and comments outside
 * declarations.
 */
export function describeContract(image: Uint8Array): Contract {
  const set = fromBinary(FileDescriptorSetSchema, image);
  set.file = set.file.filter(({ name }) => name !== 'google/protobuf/descriptor.proto');
  for (const file of set.file) {
    // buf adds its own field to the descriptor set.
    delete file.$unknown;
    if (!file.sourceCodeInfo) continue;
    file.sourceCodeInfo.location = file.sourceCodeInfo.location
      .filter(({ leadingComments }) => leadingComments)
      .map(({ path, leadingComments }) =>
        create(SourceCodeInfo_LocationSchema, {
          path,
          leadingComments: leadingComments.trim().replaceAll(/\s*\n\s*/g, ' '),
        }),
      );
  }
  const files = set.file.map((descriptor) => ({
    descriptor,
    code: descriptor.name.replace(/\.proto$/, '.ts'),
  }));
  const fileOfMessage = new Map<string, ProtoFile>();
  const visit = (scope: string, { name, nestedType }: DescriptorProto, file: ProtoFile): void => {
    fileOfMessage.set(`${scope}.${name}`, file);
    for (const nested of nestedType) visit(`${scope}.${name}`, nested, file);
  };
  for (const file of files) {
    for (const message of file.descriptor.messageType) visit(`.${file.descriptor.package}`, message, file);
  }
  return { bytes: toBinary(FileDescriptorSetSchema, set), files, fileOfMessage };
}
