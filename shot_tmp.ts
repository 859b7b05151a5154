import { chromium } from "playwright-core";
import { findBinary, libraryEnv } from "./tools/servers/binaries.ts";
import { Deployment } from "./tests/helpers/deployment.ts";
await using d = await Deployment.start({staleAfter:"2", forgetAfter:"60"});
d.play(12, {seed:"3"});
const dev = new Deno.Command("deno",{args:["run","-A","/tmp/web-scratch/dev.ts","18080",d.metrics.url]}).spawn();
const path = await findBinary("chromium");
const b = await chromium.launch({ executablePath: path, args:["--no-sandbox"], env:{...Deno.env.toObject(), ...libraryEnv(path)}});
try {
 for (const [n,scheme,w,h] of [["dark","dark",1440,900],["light","light",1440,900],["narrow","light",390,844]] as const) {
  const p = await b.newPage({colorScheme:scheme, viewport:{width:w,height:h}});
  p.on("console",m=>console.log(n,m.type(),m.text())); p.on("pageerror",e=>console.log("ERR",e));
  await p.goto("http://127.0.0.1:18080/"); await p.waitForTimeout(6000);
  await p.screenshot({path:`/tmp/web-scratch/${n}.png`});
  console.log(await p.evaluate("[document.documentElement.scrollWidth, innerWidth]"));
  if(n!=="light"){ await p.click(".row-link"); await p.waitForTimeout(1500); await p.screenshot({path:`/tmp/web-scratch/${n}-worker.png`}); }
  await p.close();
 }
} finally { await b.close(); dev.kill(); }
