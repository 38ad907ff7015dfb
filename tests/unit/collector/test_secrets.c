/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The filter that everything goes through: what it must find in every way of writing it down, and
 * what it must leave alone to the byte. Each case runs in one piece, byte by byte, and split in two
 * at every place, and a second time over its own output.
 */
#include "collector/redact/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "collector/redact/codec.h"
#include "collector/redact/secrets.h"
#include "common/compiler.h"
#include "common/strbuf.h"

static const struct {
    const char *input, *output;
} planted[] = {
    {"password=hunter2",
     "password=REMOVED"},
    {"password=my secret pass, with = and # in it",
     "password=REMOVED"},
    {"  Password : it's",
     "  Password : REMOVED"},
    {"password: \"it's \\\"quoted\\\" x\" user=x",
     "password: \"REMOVED\" user=x"},
    {"PASSWORD='a b' NEXT=1",
     "PASSWORD='REMOVED' NEXT=1"},
    {"password = 'a'\\''b'",
     "password = 'REMOVED"},
    {"{\"password\": \"x\", \"user\": \"bob\"}",
     "{\"password\": \"REMOVED\", \"user\": \"bob\"}"},
    {"{\"password\":123456,\"user\":\"bob\"}",
     "{\"password\":REMOVED,\"user\":\"bob\"}"},
    {"{\"a\": {\"apiToken\": \"x\"}}",
     "{\"a\": {\"apiToken\": \"REMOVED\"}}"},
    {"\"passwords\": [\"x\", \"y\"], \"z\": 1",
     "\"passwords\": REMOVED, \"z\": 1"},
    {"msg {\\\"password\\\": \\\"a\\\\\\\"b c\\\", \\\"a\\\": 1} end",
     "msg {\\\"password\\\": \\\"REMOVED\\\", \\\"a\\\": 1} end"},
    {"msg {\\\\\\\"password\\\\\\\": \\\\\\\"x\\\\\\\", \\\\\\\"a\\\\\\\": 1} end",
     "msg {\\\\\\\"password\\\\\\\": \\\\\\\"REMOVED\\\\\\\", \\\\\\\"a\\\\\\\": 1} end"},
    {"{'chappassword': 'x', 'target': '192.0.2.1'}",
     "{'chappassword': 'REMOVED', 'target': '192.0.2.1'}"},
    {"{u'chappassword': u'x', u'target': u'192.0.2.1'}",
     "{u'chappassword': u'REMOVED', u'target': u'192.0.2.1'}"},
    {"{'password': \"it's\", 'a': 1}",
     "{'password': \"REMOVED\", 'a': 1}"},
    {"[('user','x'),('password','y')]",
     "[('user','x'),('password','REMOVED')]"},
    {"('password' 'x')",
     "('password' 'REMOVED')"},
    {"('password' . 'x') ('a' . 'b')",
     "('password' . 'REMOVED') ('a' . 'b')"},
    {"(('password'%.'x')%.('a'%.'b'))",
     "(('password'%.'REMOVED')%.('a'%.'b'))"},
    {"<user name=\"x\" password=\"y\" other=\"z\"/>",
     "<user name=\"x\" password=\"REMOVED\" other=\"z\"/>"},
    {"<c><password type=\"x\">y</password><user>bob</user></c>",
     "<c><password type=\"x\">REMOVED</password><user>bob</user></c>"},
    {"<password><![CDATA[x<y]]></password>",
     "<password><![CDATA[REMOVED]]></password>"},
    {"<member><name>password</name><value><string>x</string></value></member>",
     "<member><name>password</name><value><string>REMOVED</string></value></member>"},
    {"<property name=\"password\" value=\"x\"/>",
     "<property name=\"password\" value=\"REMOVED\"/>"},
    {"{\"name\": \"DB_PASSWORD\", \"value\": \"x\"}",
     "{\"name\": \"DB_PASSWORD\", \"value\": \"REMOVED\"}"},
    {"<row a=\"&lt;x:password>y&lt;/x:password>\"/>", "<row a=\"&lt;x:password>REMOVED&lt;/x:password>\"/>"},
    {"&quot;password&quot;: &quot;x&quot;, &quot;a&quot;: 1",
     "&quot;password&quot;: &quot;REMOVED&quot;, &quot;a&quot;: 1"},
    {"%22password%22%3A%22x%22",
     "%22password%22%3A%22REMOVED%22"},
    {"root 12 tool --password a b c",
     "root 12 tool --password REMOVED"},
    {"root 12 tool --password='a b' --other",
     "root 12 tool --password='REMOVED' --other"},
    {"['tool', '--password', 'x', '--other']",
     "['tool', '--password', 'REMOVED', '--other']"},
    {"[\"tool\", \"--auth-token=x\", \"--other\"]",
     "[\"tool\", \"--auth-token=REMOVED\", \"--other\"]"},
    {"['mount.cifs', '-o', 'user=a,password=x,y', 'other']",
     "['mount.cifs', '-o', 'user=a,password=REMOVED', 'other']"},
    {"root 12 xe -s host -u root -pw x",
     "root 12 xe -s host -u root -pw REMOVED"},
    {"['iscsiadm', '-n', 'node.session.auth.password', '-v', 'x', '-p', '192.0.2.1']",
     "['iscsiadm', '-n', 'node.session.auth.password', '-v', 'REMOVED', '-p', '192.0.2.1']"},
    {"iscsiadm -m node -n node.session.auth.password -v x",
     "iscsiadm -m node -n node.session.auth.password -v REMOVED"},
    {"node.session.auth.password_in = x",
     "node.session.auth.password_in = REMOVED"},
    {"discovery.sendtargets.auth.password = x",
     "discovery.sendtargets.auth.password = REMOVED"},
    {"//h/s /mnt cifs user=a,pass=x,vers=3.0",
     "//h/s /mnt cifs user=a,pass=REMOVED"},
    {"http://user:x@host/path?x=1",
     "http://user:REMOVED@host/path?x=1"},
    {"https://user:p@ss:w@host:443/",
     "https://user:REMOVED@host:443/"},
    {"baseurl=http://u:p/q#r s@host/x",
     "baseurl=http://u:REMOVED@host/x"},
    {"proxy=http://:x@proxy:3128",
     "proxy=http://:REMOVED@proxy:3128"},
    {"redis://:x@h",
     "redis://:REMOVED@h"},
    {"GET /export?session_id=OpaqueRef:1b4e28ba-2fa1-11d2-883f-0016d3cca427&task_id=OpaqueRef:x",
     "GET /export?session_id=REMOVED&task_id=OpaqueRef:x"},
    {"'session_ref': 'OpaqueRef:1b4e28ba-2fa1-11d2-883f-0016d3cca427', 'host': 'x'",
     "'session_ref': 'REMOVED', 'host': 'x'"},
    {"GET /a?password=x&b=c HTTP/1.0",
     "GET /a?password=REMOVED&b=c HTTP/1.0"},
    {"GET /a?b=c&amp;access_token=x&amp;d HTTP/1.0",
     "GET /a?b=c&amp;access_token=REMOVED&amp;d HTTP/1.0"},
    {"Authorization: Bearer abcdefghijklmnop",
     "Authorization: REMOVED"},
    {"\"headers\": {\"Authorization\": \"Digest x=\\\"y\\\"\", \"a\": 1}",
     "\"headers\": {\"Authorization\": \"REMOVED\", \"a\": 1}"},
    {"X-Auth-Token: x",
     "X-Auth-Token: REMOVED"},
    {"Cookie: session=abc",
     "Cookie: REMOVED"},
    {"Set-Cookie: a=b; path=/",
     "Set-Cookie: REMOVED"},
    {"sent Bearer abcdefghijklmnop-_.~+/= to",
     "sent Bearer REMOVED to"},
    {"curl -H 'x: Basic cm9vdDpodW50ZXIy' h",
     "curl -H 'x: Basic REMOVED' h"},
    {"root:$6$saltsalt$abcdefghijklmnop/.:18000:0:99999:7:::",
     "root:$6$REMOVED:18000:0:99999:7:::"},
    {"admin:$apr1$abcdefgh$ijklmnopqrstuv/.",
     "admin:$apr1$REMOVED"},
    {"password --md5 $1$abcdefgh$ijklmnopqrstuv",
     "password --md5 $1$REMOVED"},
    {"userPassword: {SSHA}abcdefghijklmnop",
     "userPassword: REMOVED"},
    {"x {SSHA}abcdefghijklmnop y",
     "x {SSHA}REMOVED y"},
    {"password_pbkdf2 root grub.pbkdf2.sha512.10000.ABCDEF0123456789",
     "password_pbkdf2 root grub.pbkdf2.REMOVED"},
    {"x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijkl y",
     "x REMOVED y"},
    {"id AKIAIOSFODNN7EXAMPLE x",
     "id REMOVED x"},
    {"x ghp_abcdefghijklmnopqrstuvwxyz0123456789",
     "x REMOVED"},
    {"x glpat-abcdefghijklmnopqrst",
     "x REMOVED"},
    {"client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVk=",
     "client-key-data: REMOVED"},
    {"x LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVk= y",
     "x REMOVED y"},
    {"rocommunity public 192.0.2.0/8",
     "rocommunity REMOVED"},
    {"com2sec -Cn ctx name default x",
     "com2sec -Cn ctx name default REMOVED"},
    {"  snmp_community: x",
     "  snmp_community: REMOVED"},
    {"rootpw --plaintext x",
     "rootpw REMOVED"},
    {"machine h login u password x port 1",
     "machine h login u password REMOVED port 1"},
    {"sshpass -p x ssh root@h",
     "sshpass -p REMOVED"},
    {"sshpass -px ssh root@h",
     "sshpass -pREMOVED ssh root@h"},
    {"ipmitool -I lanplus -H h -U root -P x chassis status",
     "ipmitool -I lanplus -H h -U root -P REMOVED"},
    {"['ipmitool', '-H', 'h', '-P', 'x', 'sel']",
     "['ipmitool', '-H', 'h', '-P', 'REMOVED', 'sel']"},
    {"curl -k -u root:x https://x",
     "curl -k -u root:REMOVED https://x"},
    {"net ads join -U Administrator%x",
     "net ads join -U Administrator%REMOVED"},
    {"snmpwalk -v2c -c x h",
     "snmpwalk -v2c -c REMOVED"},
    {"ldapsearch -x -w x -b y",
     "ldapsearch -x -w REMOVED"},
    {"openssl rsa -passin pass:x -in f",
     "openssl rsa -passin pass:REMOVED"},
    {"env PGPASSWORD=x psql",
     "env PGPASSWORD=REMOVED"},
    {"export AWS_SECRET_ACCESS_KEY=x/y",
     "export AWS_SECRET_ACCESS_KEY=REMOVED"},
    {"BOOT_IMAGE=x proxy_password=x quiet",
     "BOOT_IMAGE=x proxy_password=REMOVED"},
    {"wlb_password=\"x\"",
     "wlb_password=\"REMOVED\""},
    {"device-config:chappassword=x device-config:target=1",
     "device-config:chappassword=REMOVED"},
    {"pool_secret: 1b4e28ba-2fa1-11d2-883f-0016d3cca427/1b4e28ba",
     "pool_secret: REMOVED"},
    {"join_token=1b4e28ba-2fa1-11d2-883f-0016d3cca427",
     "join_token=REMOVED"},
    {"Recovery key? recovery_key: 111111-222222-333333",
     "Recovery key? recovery_key: REMOVED"},
    {"\"key\": \"-----BEGIN PRIVATE KEY-----\\nMII\\n-----END PRIVATE KEY-----\\n\", \"x\": 1",
     "\"key\": \"-----BEGIN PRIVATE KEY-----REMOVED-----END PRIVATE KEY-----\\n\", \"x\": 1"},
    {"x -----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaA -----END OPENSSH PRIVATE KEY-----",
     "x -----BEGIN OPENSSH PRIVATE KEY-----REMOVED-----END OPENSSH PRIVATE KEY-----"},
    {"requirepass x",
     "requirepass REMOVED"},
    {"auth_pass 1111",
     "auth_pass REMOVED"},
    {"wpa-psk=abc",
     "wpa-psk=REMOVED"},
    {"db.cookie_secret => abc",
     "db.cookie_secret => REMOVED"},
    {"config['password'] = 'x'",
     "config['password'] = 'REMOVED'"},
    {"net.ipv4.tcp_fastopen_key = 00000000-00000000",
     "net.ipv4.tcp_fastopen_key = REMOVED"},
    {"log: \"login with password=a b\", code 3",
     "log: \"login with password=REMOVED\", code 3"},
    {"a:\n  password: |\n    x y\n\n    z\n  b: 1\n",
     "a:\n  password: |\n    REMOVED\n\n    REMOVED\n  b: 1\n"},
    {"secret: !vault |\n  x\nb: 1\n",
     "secret: !vault |\n  REMOVED\nb: 1\n"},
    {"password:\n  x\nb: 1\n",
     "password:\n  REMOVED\nb: 1\n"},
    {"passwords:\n- x\n- \"y z\"\nb: 1\n",
     "passwords:\n- REMOVED\n- \"REMOVED\"\nb: 1\n"},
    {"chpasswd:\n  list: |\n    root:x\n  expire: no\n",
     "chpasswd:\n  list: |\n    REMOVED\n  expire: no\n"},
    {"{\"password\":\n  \"x\", \"a\": 1}\n",
     "{\"password\":\n  \"REMOVED\", \"a\": 1}\n"},
    {"\"passwords\": [\n  \"x\",\n  \"y\"\n], \"z\": 1\n",
     "\"passwords\": [\n  \"REMOVED\",\n  \"REMOVED\"\n], \"z\": 1\n"},
    {"<password>\n  x\n</password>\n<a>b</a>\n",
     "<password>\n  REMOVED\n</password>\n<a>b</a>\n"},
    {"<name>password</name>\n<value><string>x</string></value>\n<a>b</a>\n",
     "<name>password</name>\n<value><string>REMOVED</string></value>\n<a>b</a>\n"},
    {"password=\"x\ny\" a=1\nb\n",
     "password=\"REMOVED\nREMOVED\" a=1\nb\n"},
    {"password=\"x\nNov  1 h a: \"b\"\n",
     "password=\"REMOVED\nNov  1 h a: \"b\"\n"},
    {"password=\\\n  x\na=1\n",
     "password=\\\n  REMOVED\na=1\n"},
    {"{\"method\":\"session.login_with_password\",\"params\":[\"root\",\"x\",\"1.0\",\"xe\"],\"id\":1}",
     "{\"method\":\"session.login_with_password\",\"params\":[\"root\",\"REMOVED\"],\"id\":1}"},
    {"<methodName>session.login_with_password</methodName><params><param><value><string>root</string></value></param><param><value><string>x</string></value></param>",
     "<methodName>session.login_with_password</methodName><params><param><value><string>root</string></value></param><param><value><string>REMOVED</string></value></param>"},
    {"login_with_password('root', 'x')",
     "login_with_password('root', 'REMOVED')"},
    {"/local/domain/1/console/vnc-pass = \"x\"",
     "/local/domain/1/console/vnc-pass = \"REMOVED\""},
    {"xenstore-data (MRW): vm-data/adminpass: x; a: 1",
     "xenstore-data (MRW): vm-data/adminpass: REMOVED"},
    {"A1.2 write /local/domain/1/vm-data/k a b",
     "A1.2 write /local/domain/1/vm-data/k REMOVED"},
    {"GET /export?session_id=OpaqueRef%3A1b4e28ba-2fa1-11d2-883f-0016d3cca427&a",
     "GET /export?session_id=REMOVED&a"},
    {"session OpaqueRef:1b4e28ba-2fa1-11d2-883f-0016d3cca427 destroyed",
     "session REMOVED destroyed"},
    {"shared-secret \"x\";",
     "shared-secret \"REMOVED\";"},
    {"auth.login.password x",
     "auth.login.password REMOVED"},
    {"setting password to 'x' now",
     "setting password to 'REMOVED' now"},
    {"the password is ab12cd",
     "the password is REMOVED"},
    {"Password for root: x",
     "Password for root: REMOVED"},
    {"$password = \"x\";",
     "$password = \"REMOVED\";"},
    {"passwords[0]=x",
     "passwords[0]=REMOVED"},
    {"userPassword:: eA==",
     "userPassword:: REMOVED"},
    {"<a>&amp;lt;password&amp;gt;x&amp;lt;/password&amp;gt;</a>",
     "<a>&amp;lt;password&amp;gt;REMOVED&amp;lt;/password&amp;gt;</a>"},
    {"<AdminPassword><Value>x</Value></AdminPassword>",
     "<AdminPassword><Value>REMOVED</Value></AdminPassword>"},
    {"domainjoin-cli join --ou a example.com admin x",
     "domainjoin-cli join --ou a example.com admin REMOVED"},
    {"echo root:x | chpasswd",
     "echo REMOVED | chpasswd"},
    {"usermod -p 'x' root",
     "usermod -p 'REMOVED' root"},
    {"unzip -P x a.zip",
     "unzip -P REMOVED"},
    {"curl -uroot:x https://h",
     "curl -uroot:REMOVED https://h"},
    {"linstor encryption enter-passphrase x",
     "linstor encryption enter-passphrase REMOVED"},
    {"CREATE USER 'a' IDENTIFIED BY 'x';",
     "CREATE USER 'a' IDENTIFIED BY 'REMOVED';"},
    {"xe secret-modify uuid=1 value=x",
     "xe secret-modify uuid=1 value=REMOVED"},
    {"https://abcdefghij1234567890abcd@h/x",
     "https://REMOVED@h/x"},
    {"https://h/c?sv=2020&sig=abc&se=1",
     "https://h/c?sv=2020&sig=REMOVED&se=1"},
    {"user-data: aGk=",
     "user-data: REMOVED"},
    {"ldap_default_authtok = x",
     "ldap_default_authtok = REMOVED"},
    {"<msg>token: x</msg>",
     "<msg>token: REMOVED</msg>"},
    {"{\"auths\":{\"h\":{\"auth\":\"cm9vdDpodW50ZXIy\",\"email\":\"a@b\"}}}",
     "{\"auths\":{\"h\":{\"auth\":\"REMOVED\",\"email\":\"a@b\"}}}"},
    {"//registry.example/:_auth=cm9vdDpodW50ZXIy",
     "//registry.example/:_auth=REMOVED"},
    {"PASS hunter2 x",
     "PASS REMOVED"},
    {"ftp: ---> PASS hunter2",
     "ftp: ---> PASS REMOVED"},
    {"C: PASS hunter2",
     "C: PASS REMOVED"},
    {"smtp> AUTH PLAIN AGpvZQBodW50ZXIy",
     "smtp> AUTH PLAIN REMOVED"},
    {"AUTH LOGIN\n334 VXNlcm5hbWU6\nam9l\n334 UGFzc3dvcmQ6\naHVudGVyMg==\n235 ok",
     "AUTH LOGIN\n334 VXNlcm5hbWU6\nREMOVED\n334 UGFzc3dvcmQ6\nREMOVED\n235 ok"},
    {"S: 334 UGFzc3dvcmQ6\nC: aHVudGVyMg==",
     "S: 334 UGFzc3dvcmQ6\nC: REMOVED"},
    {"PuTTY-User-Key-File-2: ssh-rsa\nPublic-Lines: 1\nAAAAB3NzaC1yc2E=\nPrivate-Lines: 2\n"
     "AAAAgQCqz\nabcd==\nPrivate-MAC: 0123abcd\nnext",
     "PuTTY-User-Key-File-2: ssh-rsa\nPublic-Lines: 1\nAAAAB3NzaC1yc2E=\nPrivate-Lines: 2\n"
     "REMOVED\nPrivate-MAC: REMOVED\nnext"},
    {"[client.admin]\n\tkey = AQBvaGxhc2hlbGxvd29ybGRoZWxsb3dvcmxkaG==\n\tcaps mon = \"allow *\"",
     "[client.admin]\n\tkey = REMOVED\n\tcaps mon = \"allow *\""},
    {"ceph-fuse --key AQBvaGxhc2hlbGxvd29ybGRoZWxsb3dvcmxkaG==",
     "ceph-fuse --key REMOVED"},
    {"{\"m\":\"{\\\"password\\\":\\\"x\\\",\\\"a\\\":1}\"}",
     "{\"m\":\"{\\\"password\\\":\\\"REMOVED\\\",\\\"a\\\":1}\"}"},
    {"hook https://hooks.slack.com/services/T00000000/B00000000/abcdefghij",
     "hook https://hooks.slack.com/services/REMOVED"},
    {"got ghu_abcdefghijklmnopqrstuvwxyz0123456789, glrt-abcdefghijklmnopqrst!",
     "got REMOVED, REMOVED!"},
    {"xoxs-abcdefghijklmnopqrst xapp-abcdefghijklmnopqrst ya29.abcdefghijklmnopqrst",
     "REMOVED REMOVED REMOVED"},
    {"passwd --stdin root <<< 'hunter 2'",
     "passwd --stdin root <<< 'REMOVED'"},
    {"chpasswd <<EOF\nroot:hunter2\njoe:x y\nEOF\nroot:stays",
     "chpasswd <<EOF\nREMOVED\nREMOVED\nEOF\nroot:stays"},
    {"cat <<-'END' | passwd --stdin root\n  hunter2\nEND",
     "cat <<-'END' | passwd --stdin root\n  REMOVED\nEND"},
    {"user,password,host,token\njoe,\"a,b\",h1,x1\nann,,h2,x2\nhttp://u:p@h,q,r,s\nnone",
     "user,password,host,token\njoe,\"REMOVED\",h1,REMOVED\nann,,h2,REMOVED\n"
     "http://u:REMOVED@h,REMOVED,r,REMOVED\nnone"},
    {"id\tPASSWORD\n1\thunter two\n2\t****",
     "id\tPASSWORD\n1\tREMOVED\n2\t****"},
    {"+------+----------+\n| user | password |\n+------+----------+\n| joe  | a b      |\n"
     "+------+----------+\n1 row",
     "+------+----------+\n| user | password |\n+------+----------+\n| joe  | REMOVED      |\n"
     "+------+----------+\n1 row"},
    {"USER    PASSWORD   HOST\njoe     hunter2    h1\nann     long-hunter2 h2\n\njoe     stays",
     "USER    PASSWORD   HOST\njoe     REMOVED    h1\nann     REMOVED      h2\n\njoe     stays"},
};

static const char *const harmless[] = {
    "PasswordAuthentication no",
    "PermitEmptyPasswords no",
    "password_authentication=no",
    "token_timeout=3000",
    "cluster_token_timeout_ms: 20000",
    "Enter password:",
    "password: ",
    "password_secret: 1b4e28ba-2fa1-11d2-883f-0016d3cca427",
    "('cifspassword_secret' '1b4e28ba-2fa1-11d2-883f-0016d3cca427')",
    "wlb_password=OpaqueRef:NULL",
    "Nov  1 00:00:00 h sshd[1]: Accepted password for root from 192.0.2.7 port 22 ssh2",
    "Nov  1 00:00:00 h sshd[1]: Failed password for invalid user admin from 192.0.2.7",
    "Nov  1 h passwd[12]: pam_unix(passwd:chauthtok): password changed for root",
    "password    requisite     pam_cracklib.so try_first_pass retry=3",
    "auth        sufficient    pam_unix.so nullok try_first_pass",
    "passwd:     files sss",
    "passwd: files winbind systemd",
    "shadow:     files sss",
    "Nov  1 h sudo: root : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/bin/ls",
    "OLDPWD=/var/log",
    " cookie=0x0, duration=12.3s, table=0, n_packets=1",
    "xapi: [debug||1 |session.login_with_password D:fb8601743dd4|xapi_session] ok",
    "xapi: [debug||1 |dispatch:session.logout D:aa|api_effect] session.logout",
    "session_id=4",
    "Session 12 of user root.",
    "trackid=9834f5af41c964e225f24279aefe4e49",
    "OpaqueRef:1b4e28ba-2fa1-11d2-883f-0016d3cca427",
    "VM: OpaqueRef:1b4e28ba-2fa1-11d2-883f-0016d3cca427",
    "private_key=/etc/openvswitch/sc-privkey.pem",
    "ssl-key-file = /etc/xensource/key.pem",
    "credentials=/root/.smbcredentials",
    "http://host:8080/path?mail=a@b.example",
    "https://192.0.2.1:443/x@y",
    "http://user@host/path",
    "https://[2001:db8::1]:443/",
    "ssh://git@host:22/repo",
    "-----BEGIN CERTIFICATE-----",
    "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ",
    "-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
    "Basic authentication required",
    "Basic HTTP/1.1",
    "Bearer token missing",
    "the key is under the mat",
    "key: value",
    "keyboard=us, monkey: 7",
    "authentication: none",
    "Power-On Password Status: Disabled",
    "\t\tpassword: ********",
    "'chappassword': '******', 'x': 1",
    "\"password\": null, \"token\": \"\", 'passwd': None",
    "<password></password>",
    "<password/>",
    "for pass in 1 2 3",
    "pass=3",
    "bypass=always",
    "max_password_length=64",
    "password_file=/etc/x",
    "passwd program = /usr/bin/passwd %u",
    "unix password sync = no",
    "encrypt passwords = yes",
    "passdb backend = tdbsam",
    "secretName: web",
    "Token::parse failed",
    "$1 costs $5 and $6",
    "eyJhbGciOi is short",
    "AKIA is no key",
    "community edition, see https://xcp-ng.org/community",
    "kernel.random.uuid = 1b4e28ba-2fa1-11d2-883f-0016d3cca427",
    "psk_identity=xen",
    "Enter password:\nNov  1 h a: b\n",
    "password:\n  min: 8\n  user: x\n",
    "passwords:\nnext one\n",
    "Unexpected token 'x' in JSON at position 3",
    "pam_unix(login:session): session closed for user root",
    "Failed password for root from 192.0.2.7 port 22 ssh2",
    "the password is about to expire",
    "Password for root: ",
    "echo x | grep y",
    "useradd -m bob",
    "zip -r a.zip b",
    "signature=abc",
    "/etc/xensource/ptoken: No such file",
    "login_with_password failed",
    "compass: 7",
    "tokens=3",
    "authorized_keys: 2 lines",
    "ps: root 1 /usr/bin/ssh -p 22 host",
    "mysqld: ready for connections",
    "mkdir -p /var/lib/mysql -p",
    "curl -u root https://x",
    "curl: (7) Failed to connect",
    "openssl x509 -text -noout",
    "snmpd[12]: Connection from UDP",
    "ipmitool sel list",
    "/etc/passwd: No such file",
    "/dev/disk/by-id/x: clean, 12/34 files",
    "VM.secret.create D:x",
    "{\"name\": \"password\", \"type\": \"string\"}",
    "[\"password\", \"username\"]",
    "${PASSWORD} $PASSWORD",
    "usage: tool <password> [<file>]",
    "auth: pam_unix",
    "auth    include    password-auth\nauth    required   pam_deny.so\npassword  x  y",
    "\"auth\": \"none\", \"key\": \"AAAAB3NzaC1yc2EAAAADAQABAAABAQCqzyxabcde==\"",
    "key = AQB",
    "Memory test: PASS 12 of 12",
    "test 3 PASS in 4 s",
    "250-AUTH LOGIN\n250 8BITMIME\nabcd",
    "250-AUTH PLAIN LOGIN",
    "AUTH PLAIN LOGIN",
    "hvs.c:12 npm_config_cache ya29",
    "passwd,shadow\nno row of it",
    "before passw,ord\nx,y",
    "passw,ord\nx,y",
    "user, password and host\na, b",
    "the passwd file\n  x",
    "MIIEowIBAAKCAQEAxyz0123456789+/abcdefghijklmnopqrstuvwxyzABCDEFG\n-----END CERTIFICATE-----",
};

static int append(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)err;
    strbuf_add(context, bytes, length);
    return 0;
}

struct result {
    struct strbuf output;
    int code;
    int64_t count;
    bool wants_rewrite;
};

/* In two parts, each in steps; `rewrite`: as for the second reading of a compressed file. */
static struct result redact(const char *input, size_t length, size_t split, size_t step,
                            bool rewrite)
{
    const char *const none[] = {NULL};
    struct result result = {.output = STRBUF_INIT};
    struct redactor *redactor;
    assert_int_equal(redactor_new(none, append, &result.output, &redactor, NULL), 0);
    if (rewrite)
        redactor_rewrite(redactor);
    for (size_t at = 0, n; result.code == 0 && at < length; at += n) {
        size_t end = at < split ? split : length;
        n = end - at < step ? end - at : step;
        result.code = redactor_write(redactor, input + at, n, NULL);
    }
    if (result.code == 0)
        result.code = redactor_finish(redactor, NULL);
    result.count = redactor_count(redactor);
    result.wants_rewrite = redactor_wants_rewrite(redactor);
    redactor_free(redactor);
    return result;
}

static void assert_becomes(const char *input, size_t length, size_t split, size_t step,
                           const char *output, size_t output_length)
{
    struct result result = redact(input, length, split, step, false);
    bool same = result.code == 0 && result.output.length == output_length &&
                memcmp(result.output.data, output, output_length) == 0;
    if (!same)
        fail_msg("split at %zu, steps of %zu, code %d\n input:    %s\n expected: %s\n got:      %s",
                 split, step, result.code, input, output, result.output.data);
    strbuf_release(&result.output);
}

/* The line alone, and between two others. */
static void assert_line_becomes(const char *input, const char *output)
{
    struct strbuf in = STRBUF_INIT, out = STRBUF_INIT;
    strbuf_addf(&in, "before\n%s\nafter\n", input);
    strbuf_addf(&out, "before\n%s\nafter\n", output);
    assert_becomes(input, strlen(input), 0, 100000, output, strlen(output));
    assert_becomes(in.data, in.length, 0, 1, out.data, out.length);
    for (size_t split = 0; split <= in.length; split++)
        assert_becomes(in.data, in.length, split, in.length, out.data, out.length);
    assert_becomes(out.data, out.length, 0, out.length, out.data, out.length);
    strbuf_release(&in);
    strbuf_release(&out);
}

static void secrets_in_all_shapes_go_wherever_the_chunks_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(planted); i++)
        assert_line_becomes(planted[i].input, planted[i].output);
}

static void what_only_looks_like_a_secret_stays_to_the_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
        assert_line_becomes(harmless[i], harmless[i]);
}

#define KEY_BEGIN "-----BEGIN RSA PRIVATE KEY-----\n"
#define KEY_END   "-----END RSA PRIVATE KEY-----\n"
#define KEY_LINE  "MIIEowIBAAKCAQEAxyz0123456789+/abcdefghijklmnopqrstuvwxyzABCDEFG\n"

static void private_keys_of_many_lines_go_with_or_without_an_end(void **state)
{
    (void)state;
    static const struct {
        const char *input, *output;
    } cases[] = {
        {"a\n" KEY_BEGIN KEY_LINE KEY_LINE "abc=\n" KEY_END "b\n",
         "a\n" KEY_BEGIN "REMOVED\n" KEY_END "b\n"},
        {KEY_BEGIN "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" KEY_LINE KEY_END,
         KEY_BEGIN "REMOVED\n" KEY_END},
        {KEY_BEGIN KEY_LINE KEY_LINE "this is no key\n" KEY_LINE,
         KEY_BEGIN "REMOVED\nthis is no key\n" KEY_LINE},
        {"Nov  1 h x: " KEY_BEGIN "Nov  1 h x: " KEY_LINE "Nov  1 h x: ab==\nNov  1 h x: " KEY_END "b\n",
         "Nov  1 h x: " KEY_BEGIN "REMOVED\nNov  1 h x: " KEY_END "b\n"},
        {"  " KEY_BEGIN "  " KEY_LINE "  " KEY_END, "  " KEY_BEGIN "REMOVED\n  " KEY_END},
        {KEY_BEGIN KEY_LINE, KEY_BEGIN "REMOVED\n"},
        {"abc\n" KEY_LINE KEY_LINE "abc=\n" KEY_END "b\n", "REMOVED\n" KEY_END "b\n"},
        {KEY_LINE KEY_END, "REMOVED\n" KEY_END},
        {"abc=\n-----END PRIVATE KEY-----", "REMOVED\n-----END PRIVATE KEY-----"},
        {"cd\\nab=\\n-----END PRIVATE KEY-----\\n\", 1]\n", "REMOVED-----END PRIVATE KEY-----\\n\", 1]\n"},
        {"Nov  1 h started\nNov  1 h x: " KEY_LINE "Nov  1 h x: ab==\nNov  1 h x: " KEY_END,
         "REMOVED\nNov  1 h x: " KEY_END},
        {"a log of words\n" KEY_LINE KEY_END, "a log of words\nREMOVED\n" KEY_END},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t split = 0; split <= strlen(cases[i].input); split++)
            assert_becomes(cases[i].input, strlen(cases[i].input), split, 1000, cases[i].output,
                           strlen(cases[i].output));
}

/* Text of `bytes` bytes and no newline. */
static void fill(struct strbuf *text, size_t bytes)
{
    size_t end = text->length + bytes;
    while (text->length < end)
        strbuf_add(text, "0123456789abcdef ", end - text->length < 17 ? end - text->length : 17);
}

static void a_secret_is_found_wherever_it_stands_in_a_line_of_a_megabyte(void **state)
{
    (void)state;
    for (size_t at = 0; at < 1000000; at += 4099) {
        struct strbuf in = STRBUF_INIT, out = STRBUF_INIT;
        fill(&in, at);
        fill(&out, at);
        strbuf_adds(&in, "{\"password\": \"my secret\"}");
        strbuf_adds(&out, "{\"password\": \"REMOVED\"}");
        fill(&in, 1000000 - at);
        fill(&out, 1000000 - at);
        assert_becomes(in.data, in.length, 0, 65536, out.data, out.length);
        strbuf_release(&in);
        strbuf_release(&out);
    }
}

static void binary_data_keep_their_length(void **state)
{
    (void)state;
    static const char input[] = "\0\1password=ab\2\3user\0http://u:secret words@h\0\0password: \0x\n"
                                "token=a longer secret than the word\n\0";
    static const char output[] = "\0\1password=RE\2\3user\0http://u:REMOVEDREMOV@h\0\0password: \0x\n"
                                 "token=REMOVEDREMOVEDREMOVEDREMOVEDR\n\0";
    for (size_t split = 0; split <= sizeof input; split++)
        assert_becomes(input, sizeof input, split, 1000, output, sizeof output);
}

static const struct codec *const codecs[] = {&codec_gzip, &codec_bzip2, &codec_xz, &codec_zstd};

static struct strbuf pack(const struct codec *codec, const char *text, size_t length)
{
    struct strbuf out = STRBUF_INIT;
    void *packer;
    assert_int_equal(codec->packer_new(&packer, NULL), 0);
    assert_int_equal(codec->pack(packer, text, length, true, &out, NULL), 0);
    codec->packer_free(packer);
    return out;
}

/* All streams of it, to the last byte. */
static struct strbuf unpack(const struct codec *codec, const struct strbuf *packed)
{
    struct strbuf out = STRBUF_INIT;
    char chunk[4096];
    struct codec_step step = {
        .in = packed->data, .in_left = packed->length, .out = chunk, .room = sizeof chunk};
    void *unpacker;
    enum codec_status status = CODEC_MORE;
    assert_int_equal(codec->unpacker_new(&unpacker, NULL), 0);
    while (status == CODEC_MORE || step.in_left > 0) {
        status = codec->unpack(unpacker, &step);
        assert_true(status == CODEC_MORE || status == CODEC_END);
        strbuf_add(&out, chunk, step.made);
    }
    codec->unpacker_free(unpacker);
    return out;
}

static void compressed_logs_without_secrets_stay_to_the_byte(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT;
    fill(&text, 300000);
    for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
        struct strbuf packed = pack(codecs[i], text.data, text.length), two = STRBUF_INIT;
        size_t cut = packed.length - 10;
        strbuf_add(&two, packed.data, packed.length);
        strbuf_add(&two, packed.data, packed.length);
        for (size_t step = 1; step < 100000; step = step * 3 + 1) {
            assert_becomes(packed.data, packed.length, 0, step, packed.data, packed.length);
            assert_becomes(two.data, two.length, 0, step, two.data, two.length);
            assert_becomes(packed.data, cut, 0, step, packed.data, cut);
        }
        strbuf_release(&packed);
        strbuf_release(&two);
    }
    strbuf_release(&text);
}

static void compressed_logs_with_secrets_are_packed_again_without_them(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT, expected = STRBUF_INIT;
    fill(&text, 200000);
    fill(&expected, 200000);
    strbuf_adds(&text, "\npassword=my secret\nend\n");
    strbuf_adds(&expected, "\npassword=REMOVED\nend\n");
    for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
        struct strbuf packed = pack(codecs[i], text.data, text.length);
        for (size_t step = 1; step < 100000; step = step * 3 + 1) {
            struct result first = redact(packed.data, packed.length, 0, step, false);
            assert_int_not_equal(first.code, 0);
            assert_true(first.wants_rewrite);
            struct result second = redact(packed.data, packed.length, 0, step, true);
            assert_int_equal(second.code, 0);
            assert_int_equal(second.count, 1);
            struct strbuf plain = unpack(codecs[i], &second.output);
            assert_int_equal(plain.length, expected.length);
            assert_memory_equal(plain.data, expected.data, expected.length);
            strbuf_release(&first.output);
            strbuf_release(&second.output);
            strbuf_release(&plain);
        }
        strbuf_release(&packed);
    }
    strbuf_release(&text);
    strbuf_release(&expected);
}

static void assert_damage_is_left_out(const struct codec *codec, const struct strbuf *packed,
                                      const struct strbuf *text)
{
    for (size_t step = 1; step < 1000000; step = step * 5 + 1) {
        struct result first = redact(packed->data, packed->length, 0, step, false);
        assert_true(first.wants_rewrite);
        strbuf_release(&first.output);
        struct result result = redact(packed->data, packed->length, 0, step, true);
        assert_int_equal(result.code, 0);
        assert_int_equal(result.count, 1);
        struct strbuf plain = unpack(codec, &result.output);
        if (plain.data[0] != '\n') /* something could be read before the damage */
            assert_memory_equal(plain.data, text->data, 10);
        assert_non_null(strstr(plain.data, "is damaged and was left out"));
        assert_null(memmem(result.output.data, result.output.length, "secret", 6));
        strbuf_release(&result.output);
        strbuf_release(&plain);
    }
}

static void what_is_behind_a_damage_in_compressed_data_is_left_out(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT;
    strbuf_adds(&text, "beginning\n");
    while (text.length < 400000)
        strbuf_addf(&text, "%zx", text.length * 2654435761u);
    for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
        struct strbuf packed = pack(codecs[i], text.data, text.length);
        memset(packed.data + packed.length / 2, 0xff, 64);
        strbuf_adds(&packed, "password=secret\n");
        assert_damage_is_left_out(codecs[i], &packed, &text);
        strbuf_release(&packed);
    }
    strbuf_release(&text);
}

/* Unlike gzip's, readers of the others go on behind the end of a stream. */
static void what_follows_other_compressed_data_is_left_out(void **state)
{
    (void)state;
    for (size_t i = 1; i < ARRAY_SIZE(codecs); i++) {
        struct strbuf packed = pack(codecs[i], "harmless\n", 9);
        strbuf_adds(&packed, "\x50\x2a\x4d\x18" "password=secret\n");
        struct result first = redact(packed.data, packed.length, 0, 7, false);
        struct result second = redact(packed.data, packed.length, 0, 7, true);
        struct strbuf plain = unpack(codecs[i], &second.output);
        assert_true(first.wants_rewrite);
        assert_memory_equal(plain.data, "harmless\n", 9);
        assert_null(memmem(plain.data, plain.length, "secret\n", 7));
        strbuf_release(&packed);
        strbuf_release(&first.output);
        strbuf_release(&second.output);
        strbuf_release(&plain);
    }
}

/* Nothing of them comes out, whatever the cuts. */
static void what_cannot_be_searched_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {"PK\3\4\24\0\0\0\0\0", 10},
        {"7z\xbc\xaf\x27\x1c\0\4", 8},
        {"\x04\x22\x4d\x18\x64\x40\xa7", 7},
        {"LZIP\1\x14\0\0", 8},
        {"\x89LZO\0\r\n", 7},
        {"\x1f\x9d\x90", 3},
        {"\x50\x2a\x4d\x18\4\0\0\0skip\x28\xb5\x2f\xfd", 16},
        /* the heads of a frame with a window of 1 GB, and of a dictionary of 1 GB */
        {"\x28\xb5\x2f\xfd\0\xa0\1\0\0", 9},
        {"\xfd" "7zXZ\0\0\0\xff\x12\xd9\x41\2\0\x21\1\x24\0\0\0\x5e\x1f\xc7\xf9", 24},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (int rewrite = 0; rewrite < 2; rewrite++)
            for (size_t step = 1; step < 20; step += 6) {
                struct result result = redact(cases[i].bytes, cases[i].length, 0, step, rewrite);
                if (result.code != ERR_UNSUPPORTED || result.wants_rewrite)
                    fail_msg("case %zu: %d", i, result.code);
                strbuf_release(&result.output);
            }
}

static void what_follows_gzip_data_is_searched_as_it_stands(void **state)
{
    (void)state;
    struct strbuf packed = pack(&codec_gzip, "harmless\n", 9);
    strbuf_adds(&packed, "password=secret\n");
    struct result result = redact(packed.data, packed.length, 0, 7, false);
    assert_int_equal(result.code, 0);
    assert_null(memmem(result.output.data, result.output.length, "secret", 6));
    assert_int_equal(result.output.length, packed.length);
    strbuf_release(&result.output);
    strbuf_release(&packed);
}

static void our_own_texts_are_redacted_too(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    assert_int_equal(redact_text("run --password x", 16, &out), 1);
    assert_string_equal(out.data, "run --password REMOVED");
    strbuf_release(&out);
}

static void names_are_judged_by_their_last_part(void **state)
{
    (void)state;
    assert_int_equal(secret_kind("node.session.auth.password", 26), SECRET_ANY);
    assert_int_equal(secret_kind("secret.create", 13), SECRET_NONE);
    assert_int_equal(secret_kind("password_file", 13), SECRET_NONE);
    assert_int_equal(secret_kind("secret_profile", 14), SECRET_ANY);
    assert_int_equal(secret_kind("session_id", 10), SECRET_SESSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_in_all_shapes_go_wherever_the_chunks_end),
        cmocka_unit_test(what_only_looks_like_a_secret_stays_to_the_byte),
        cmocka_unit_test(private_keys_of_many_lines_go_with_or_without_an_end),
        cmocka_unit_test(a_secret_is_found_wherever_it_stands_in_a_line_of_a_megabyte),
        cmocka_unit_test(binary_data_keep_their_length),
        cmocka_unit_test(compressed_logs_without_secrets_stay_to_the_byte),
        cmocka_unit_test(compressed_logs_with_secrets_are_packed_again_without_them),
        cmocka_unit_test(what_is_behind_a_damage_in_compressed_data_is_left_out),
        cmocka_unit_test(what_follows_gzip_data_is_searched_as_it_stands),
        cmocka_unit_test(what_follows_other_compressed_data_is_left_out),
        cmocka_unit_test(what_cannot_be_searched_is_refused),
        cmocka_unit_test(our_own_texts_are_redacted_too),
        cmocka_unit_test(names_are_judged_by_their_last_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
