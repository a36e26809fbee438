/** Chinese texts of the failure page; the English ones are in `failure.ts` and `src/errors.ts`. */
import type { ErrorCode, Fault } from '../errors.ts';

export interface FailureWords {
  readonly room: string;
  readonly status: (status: number) => string;
  readonly error: string;
  /** The heading, by who is at fault. */
  readonly heading: Readonly<Record<Fault, string>>;
  /** Advice for the person, by who is at fault. */
  readonly advice: Readonly<Record<Fault, string>>;
  readonly text: (code: ErrorCode) => string;
  /** Precedes the address of the set-up help. */
  readonly setUpHelp: string;
}

const zhTexts: Readonly<Record<ErrorCode, string>> = {
  malformed_request: '该请求不是有效的 HTTP/1.1 请求。',
  invalid_target: '请求的目标不是有效的主机和端口。',
  unsupported_scheme: '只有 http:// 可以用明文请求；https:// 请使用 CONNECT。',
  host_mismatch: 'Host 字段所写的主机与请求的目标不一致。',
  not_a_proxy_request: '这是代理端口：请将它作为 HTTP 代理使用。',
  misdirected_request: '请求的主机与其所在隧道的主机不一致。',
  header_too_large: '请求头超过 16 KiB。',
  method_not_allowed: '代理不转发此请求方法。',
  request_timeout: '未能在规定时间内收到完整的请求头。',
  version_not_supported: '此处仅支持 HTTP/1.0 和 HTTP/1.1。',
  policy_denied: '已被公司政策阻止。',
  client_prohibited: '此客户端不得使用该代理。',
  authentication_required: '使用代理需要有效的用户名和密码。',
  authentication_limit: '密码错误次数过多，请稍后再试。',
  authentication_unavailable: '目前无法验证密码，请稍后重试。',
  destination_prohibited: '不得通过此代理访问该目标地址。',
  port_prohibited: '不得通过此代理访问该目标端口。',
  server_name_mismatch: 'TLS 中的服务器名称与所请求的名称不一致。',
  ech_denied: '真实的服务器名称已加密。',
  tls_required: '通往此端口的隧道中只能使用 TLS。',
  hello_timeout: '客户端未在规定时间内通过隧道发送任何内容。',
  client_rejected_ca: '客户端不信任公司的证书颁发机构。',
  client_closed: '客户端在收到答复之前已断开连接。',
  proxy_tls_error: '此端口使用 TLS：请在代理地址中写 https://。',
  dns_error: '无法解析主机名。',
  dns_timeout: '未能在规定时间内解析主机名。',
  connection_refused: '目标主机拒绝了连接。',
  connection_timeout: '目标主机未在规定时间内响应。',
  connection_terminated: '目标主机在答复完成之前断开了连接。',
  destination_unreachable: '无法到达目标主机。',
  upstream_protocol_error: '目标主机的答复不是有效的 HTTP。',
  tls_certificate_error: '目标主机的证书无效。',
  tls_protocol_error: '目标主机未能完成 TLS 握手。',
  response_timeout: '未能及时收到答复。',
  idle_timeout: '连接空闲的时间超过了上限。',
  policy_changed: '连接建立后，禁止访问它的规则开始生效。',
  loop_detected: '请求又回到了发出它的代理。',
  connection_limit: '代理的连接数已达上限，请稍后重试。',
  client_limit: '此客户端打开的连接过多，请稍后重试。',
  rate_limit: '请求过于频繁。',
  certificate_limit: '请求的主机名过多。',
  lifetime_limit: '连接持续的时间超过了上限。',
  draining: '代理正在关闭，请稍后重试。',
  internal_error: '代理在处理请求时出错。',
};

export const zh: FailureWords = {
  room: '网络代理',
  status: (status) => `错误 ${status}`,
  error: '错误代码',
  heading: {
    client: '无法处理此请求',
    policy: '不允许访问此目标',
    upstream: '无法访问此网站',
    proxy: '代理未能完成此操作',
  },
  advice: {
    client: '发出请求的程序需要改变请求方式，重试不会有帮助。',
    policy: '这是代理的规则，重试不会有帮助。',
    upstream: '问题不在代理。请稍后重试。',
    proxy: '问题出在代理。请稍后重试；如果问题持续存在，请将参考编号告知代理的管理员。',
  },
  text: (code) => zhTexts[code],
  setUpHelp: '设置方法：',
};
