import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { decompressFrame } from 'lz4-napi';
import { uncompress } from 'snappy';

const gunzipBuffer = promisify(gunzip);
const zstdBuffer = promisify(zstdDecompress);

/** By the number that a record batch names its codec with; 0 is no compression. */
const codecs: Readonly<Record<number, (bytes: Buffer, maxBytes: number) => Promise<Buffer>>> = {
  1: (bytes, maxOutputLength) => gunzipBuffer(bytes, { maxOutputLength }),
  2: decompressSnappy,
  3: decompressLz4,
  4: (bytes, maxOutputLength) => zstdBuffer(bytes, { maxOutputLength }),
};

/**
 * The records of a compressed batch; throws when they do not decompress or are larger than
 * `maxBytes`.
 */
export async function decompress(codec: number, bytes: Buffer, maxBytes: number): Promise<Buffer> {
  const run = codecs[codec];
  if (run === undefined) throw new Error(`compression codec ${codec} is not known`);
  return run(bytes, maxBytes);
}

/**
 * The stream format of snappy-java, which Kafka's clients write: a header, then blocks behind their
 * lengths.
 */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const xerialHeaderBytes = 16;

async function decompressSnappy(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  if (!bytes.subarray(0, xerialMagic.length).equals(xerialMagic))
    return snappyBlock(bytes, maxBytes);
  const blocks: Buffer[] = [];
  let size = 0;
  for (let at = xerialHeaderBytes; at < bytes.length;) {
    const length = bytes.readInt32BE(at);
    const end = at + 4 + length;
    if (length < 0 || end > bytes.length)
      throw new Error(`a snappy block of ${length} bytes does not fit`);
    const block = await snappyBlock(bytes.subarray(at + 4, end), maxBytes - size);
    size += block.length;
    blocks.push(block);
    at = end;
  }
  return Buffer.concat(blocks);
}

async function snappyBlock(block: Buffer, maxBytes: number): Promise<Buffer> {
  // A block begins with its size as an unsigned varint: nothing is allocated for one that is too
  // large.
  let size = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at] ?? 0;
    size += (byte & 0x7f) * 128 ** at;
    if (byte < 0x80) break;
  }
  if (size > maxBytes) throw tooLarge(maxBytes);
  return (await uncompress(block, { asBuffer: true, copyOutputData: true })) as Buffer;
}

const lz4Magic = 0x184d2204;

async function decompressLz4(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  if (lz4Bound(bytes) > maxBytes) throw tooLarge(maxBytes);
  return decompressFrame(bytes);
}

/** What the blocks of a frame can hold at most: the library has no limit of its own. */
function lz4Bound(bytes: Buffer): number {
  if (bytes.readUInt32LE(0) !== lz4Magic) throw new Error('this is no LZ4 frame');
  const flags = bytes.readUInt8(4);
  const blockMaxBytes = 4 ** (((bytes.readUInt8(5) >> 4) & 7) + 4);
  const [hasBlockChecksums, hasContentSize, hasDictionary] = [
    flags & 0x10,
    flags & 0x08,
    flags & 0x01,
  ];
  let bound = 0;
  for (let at = 7 + (hasContentSize ? 8 : 0) + (hasDictionary ? 4 : 0); at + 4 <= bytes.length;) {
    const word = bytes.readUInt32LE(at);
    if (word === 0) break;
    const size = word & 0x7fffffff;
    // A byte of a compressed block stands for 255 at most.
    bound += word >= 0x80000000 ? size : Math.min(blockMaxBytes, size * 255);
    at += 4 + size + (hasBlockChecksums ? 4 : 0);
  }
  return bound;
}

function tooLarge(maxBytes: number): Error {
  return new Error(`the batch is larger than ${maxBytes} bytes once it is decompressed`);
}
