// What the sample upstream shows a browser: a page that uses an image, a server-sent event stream and a WebSocket, and writes
// what became of each into the document (`#image`, `#clock`, `#echo`), where a person or a test can read it.

export const SAMPLE_LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 60" width="120" height="60">
  <rect x="2" y="2" width="40" height="56" rx="6" fill="#1c6dd0"/>
  <rect x="78" y="2" width="40" height="56" rx="6" fill="#1ca672"/>
  <path d="M46 22h28m-7-7 7 7-7 7M74 40H46m7-7-7 7 7 7" fill="none" stroke="#444" stroke-width="4"/>
</svg>
`;

export const SAMPLE_PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Sample upstream</title>
  <style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto } dt { font-weight: bold }</style>
</head>
<body>
  <h1>It works</h1>
  <p><img id="logo" src="/logo.svg" alt="two boxes and the arrows between them"></p>
  <dl>
    <dt>Address</dt><dd id="address"></dd>
    <dt>Image</dt><dd id="image">waiting</dd>
    <dt>Server-sent events</dt><dd id="clock">waiting</dd>
    <dt>WebSocket</dt><dd id="echo">waiting</dd>
  </dl>
  <script>
    const show = (id, text) => { document.getElementById(id).textContent = text };
    show('address', location.href);

    const logo = document.getElementById('logo');
    const imageShown = () => show('image', logo.naturalWidth + ' pixels wide');
    if (logo.complete && logo.naturalWidth > 0) imageShown();
    else logo.onload = imageShown;
    logo.onerror = () => show('image', 'failed');

    const events = new EventSource('/events');
    events.onmessage = (event) => show('clock', event.data);
    events.onerror = () => show('clock', 'failed');

    const socket = new WebSocket(location.href.replace(/^http/, 'ws').replace(/\\/[^/]*$/, '/echo'));
    socket.onopen = () => socket.send('hello through the proxy');
    socket.onmessage = (event) => show('echo', event.data);
    socket.onerror = () => show('echo', 'failed');
  </script>
</body>
</html>
`;
