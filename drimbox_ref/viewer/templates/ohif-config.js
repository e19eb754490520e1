// What OHIF is told before it starts; the box writes the two constants in capitals.
const telling = (text) => {
  let said = document.getElementById('drimbox-alerte');
  if (!said) {
    said = document.createElement('div');
    said.id = 'drimbox-alerte';
    said.setAttribute('role', 'alert');
    Object.assign(said.style, {
      position: 'fixed', insetInline: '20%', bottom: '12px', zIndex: 10000, padding: '10px 14px',
      background: '#fff', color: '#7a0000', borderLeft: '6px solid #b00020', font: '16px sans-serif',
    });
    document.body.append(said);
  }
  // A series is asked for image by image: each reason is said once.
  if ([...said.children].some((line) => line.textContent === text)) return;
  const line = document.createElement('p');
  line.textContent = text;
  said.append(line);
};

// Refusals are JSON whose `message` is for the user, whatever the viewer asked for (DB.VI-CO.27).
const reason = ({ response, status }) => {
  try {
    const text = response instanceof ArrayBuffer ? new TextDecoder().decode(response) : response;
    return (typeof text === 'string' ? JSON.parse(text) : text).message;
  } catch {
    return status ? `La DRIMbox a répondu par le code HTTP ${status}.` : '';
  }
};

window.config = {
  ...SETTINGS,
  httpErrorHandler: (error) => {
    const text = reason(error);
    if (text) telling(text);
  },
  whiteLabeling: {
    createLogoComponentFn: (React) => React.createElement(
      'strong',
      {
        id: 'drimbox-mention',
        style: {
          color: '#fff', paddingLeft: '8px', maxWidth: '360px', overflow: 'hidden',
          display: 'inline-block', font: 'bold 12px/14px sans-serif', whiteSpace: 'pre', textOverflow: 'ellipsis',
        },
      },
      MENTION
    ),
  },
};
