export interface RsyslogFiles {
  readonly folder: string;
  readonly output: string;
  readonly certificate: string;
  readonly privateKey: string;
}

export interface RsyslogPorts {
  readonly tcp: number;
  readonly tls: number;
  readonly udp: number;
}

/**
 * Takes messages on loopback and writes each as a line of JSON before it reads on: its queue is direct, so
 * that all of a connection that it has closed is in the file, whatever happens to it afterwards. The piece
 * that it has read and not yet written goes with a kill.
 */
export function rsyslogConfig(files: RsyslogFiles, ports: RsyslogPorts, maxMessageSize: string): string {
  return `
global(
  workDirectory="${files.folder}"
  maxMessageSize="${maxMessageSize}"
  defaultNetstreamDriverCAFile="${files.certificate}"
  defaultNetstreamDriverCertFile="${files.certificate}"
  defaultNetstreamDriverKeyFile="${files.privateKey}"
)
main_queue(queue.type="Direct")
module(load="imtcp")
module(load="imudp")
input(type="imtcp" address="127.0.0.1" port="${ports.tcp}" name="tcp")
input(type="imtcp" address="127.0.0.1" port="${ports.tls}" name="tls"
  streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imudp" address="127.0.0.1" port="${ports.udp}" name="udp")
template(name="json" type="list" option.jsonf="on") {
  property(outname="input" name="inputname" format="jsonf")
  property(outname="priority" name="pri" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="hostname" name="hostname" format="jsonf")
  property(outname="appName" name="app-name" format="jsonf")
  property(outname="procId" name="procid" format="jsonf")
  property(outname="msgId" name="msgid" format="jsonf")
  property(outname="structuredData" name="structured-data" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
  property(outname="raw" name="rawmsg" format="jsonf")
}
if $inputname == ["tcp", "tls", "udp"] then action(type="omfile" file="${files.output}" template="json")
`;
}
