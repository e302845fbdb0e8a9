// What the page says, in English and in the lesson's language. Numbers come in formatted, and
// \u2060 keeps a particle on their line.

const plural = (n, one, many) => (n === "1" ? `${n} ${one}` : `${n} ${many}`);

const TEXTS = {
  en: {
    other: "한국어",
    api: "API",
    headline: (points, sign) =>
      sign === 0
        ? "Hours of study make no difference."
        : sign > 0
          ? `Each hour of study is worth ${plural(points, "point", "points")}.`
          : `Each hour of study costs ${plural(points, "point", "points")}.`,
    lead: (rows, low, high) =>
      `Learned from ${plural(rows, "row", "rows")} of ${low} to ${high} hours. Move the slider to ask the model.`,
    hoursOfStudy: "Hours of study",
    points: "points",
    manyPoints: (n) => plural(n, "point", "points"),
    interval: (low, high) =>
      `95% of people who study this long should score between ${low} and ${high}.`,
    noInterval: "A range would need at least 3 training rows.",
    noWidth: "The line meets every training row, so the 95% range has no width.",
    extrapolated: (low, high) =>
      `Extrapolation: the model saw ${low} to ${high} hours only. Out here the line is a guess.`,
    line: "the line",
    band: "95% of scores",
    trainingRow: "training rows",
    yourHours: "your hours",
    trainedOn: "trained on these hours",
    trained: "trained",
    outside: "extrapolation",
    score: "score",
    hours: "hours",
    fitLabel: (equation, low, high, points) =>
      `Chart: ${equation}, trained on ${low} to ${high} hours` +
      (points === "0" ? "." : `, ${plural(points, "training row", "training rows")} shown.`),
    theLine: "The line",
    whatW: "weight: points that one more hour brings",
    whatB: "bias: points with no study at all",
    howSure: "How sure it is",
    rows: "Training rows",
    r2: (share) => `The hours explain ${share} of the differences between the scores.`,
    r2Worse: "Always guessing the mean score would do better.",
    r2None: "All scores are the same: there is nothing to explain.",
    cvError: "Cross-validated error",
    cv: "How far off it typically is on rows it has not seen.",
    cvNone: "It needs at least two folds of rows.",
    residualSd: "Residual sd",
    sd: "How far training rows typically lie from the line.",
    sdNone: "It needs at least 3 rows.",
    howLearned: "How it learned",
    descent: (first, last) =>
      `The cost (mean squared error) fell from ${first} to ${last} as SGD moved W and b, epoch by epoch.`,
    cost: "cost",
    epoch: "epoch",
    costsLabel: (first, last, epochs) =>
      `Chart: the cost falls from ${first} to ${last} over ${epochs} epochs.`,
    epochs: "Epochs",
    learningRate: "Learning rate",
    standardUnits: (lr) => `${lr}, standard units`,
    rawHours: (lr) => `${lr}, hours as they are`,
    from: "Learned from",
    source: (name, rows) => `${name} (${plural(rows, "row", "rows")})`,
    moreSources: (n) => `and ${n} more`,
    when: "When",
    model: "Model",
    many: "Several at once",
    paste: "Paste hours: a list, or a column from a spreadsheet.",
    predict: "Predict",
    predictions: "Predictions",
    tableHere: "The predictions appear here, as a table you can copy.",
    low: "low",
    high: "high",
    copy: "Copy table",
    copied: "Copied. Paste it into a spreadsheet.",
    keyTitle: "This service needs a key",
    keyWhy: "It is kept until this tab is closed, and sent to this service only.",
    key: "API key",
    keyRefused: "The service does not accept this key.",
    open: "Open",
    notHours: "Type a number of hours, such as 4.",
    noHours: "Paste at least one number of hours.",
    notNumber: (place, value) => `Number ${place} is “${value}”. Hours are numbers such as 2.5.`,
    swapped: (time) => `A new model was put in place at ${time}. This page shows it now.`,
    silent: "The service does not answer. The page keeps trying.",
    // the service's validation errors, by type
    problems: {
      greater_than_equal: "Hours cannot be below 0.",
      less_than_equal: "Hours cannot be above 8784, the hours in a year.",
      too_long: "At most 10,000 hours at once.",
    },
    place: (place, sentence) => `Number ${place}: ${sentence}`,
  },
  ko: {
    other: "English",
    api: "API",
    headline: (points, sign) =>
      sign === 0
        ? "공부 시간은 점수에 영향을 주지 않아요."
        : `한 시간 더 공부할 때마다 ${points}점씩 ${sign > 0 ? "올라요" : "내려가요"}.`,
    lead: (rows, low, high) =>
      `${low}~${high}시간 공부한 기록 ${rows}건으로 이 모델이 배운 결과예요. 슬라이더를 움직여 물어보세요.`,
    hoursOfStudy: "공부 시간",
    points: "점",
    manyPoints: (n) => `${n}점`,
    interval: (low, high) =>
      `이만큼 공부한 사람의 95%\u2060는 ${low}점에서 ${high}점 사이를 받을 거예요.`,
    noInterval: "예측 구간을 구하려면 학습 데이터가 3건 이상 있어야 해요.",
    noWidth: "모든 학습 데이터가 직선 위에 있어서 95% 예측 구간의 폭이 0이에요.",
    extrapolated: (low, high) =>
      `외삽: 모델은 ${low}~${high}시간만 봤어요. 그 밖에서는 직선을 늘인 추측이에요.`,
    line: "직선",
    band: "95% 예측 구간",
    trainingRow: "학습 데이터",
    yourHours: "입력한 시간",
    trainedOn: "학습한 범위",
    trained: "학습 범위",
    outside: "외삽",
    score: "점수",
    hours: "시간",
    fitLabel: (equation, low, high, points) =>
      `그래프: ${equation}, ${low}~${high}시간으로 학습` +
      (points === "0" ? "." : `, 학습 데이터 ${points}건 표시.`),
    theLine: "직선의 식",
    whatW: "가중치(weight): 한 시간 더 공부할 때 오르는 점수",
    whatB: "편향(bias): 전혀 공부하지 않았을 때의 점수",
    howSure: "얼마나 믿을 수 있나",
    rows: "학습 데이터 수",
    r2: (share) => `점수 차이의 ${share}\u2060를 공부 시간이 설명해요.`,
    r2Worse: "늘 평균 점수로 답하는 편이 더 나아요.",
    r2None: "점수가 모두 같아서 설명할 차이가 없어요.",
    cvError: "교차 검증 오차",
    cv: "학습에 쓰지 않은 데이터에서 보통 이만큼 빗나가요.",
    cvNone: "데이터를 둘 이상의 묶음으로 나눌 수 있어야 해요.",
    residualSd: "잔차 표준편차",
    sd: "학습 데이터가 직선에서 보통 이만큼 떨어져 있어요.",
    sdNone: "데이터가 3건 이상 있어야 해요.",
    howLearned: "어떻게 배웠나",
    descent: (first, last) =>
      `SGD가 에폭마다 W와 b를 조금씩 고치면서 비용(평균제곱오차)이 ${first}에서 ${last}까지 내려갔어요.`,
    cost: "비용",
    epoch: "에폭",
    costsLabel: (first, last, epochs) =>
      `그래프: ${epochs} 에폭 동안 비용이 ${first}에서 ${last}까지 내려감.`,
    epochs: "에폭",
    learningRate: "학습률",
    standardUnits: (lr) => `${lr} (표준화한 값)`,
    rawHours: (lr) => `${lr} (시간 그대로)`,
    from: "학습 데이터",
    source: (name, rows) => `${name} (${rows}건)`,
    moreSources: (n) => `외 ${n}개`,
    when: "학습 시각",
    model: "모델",
    many: "한꺼번에 예측하기",
    paste: "공부 시간을 여러 개 붙여 넣으세요. 스프레드시트의 한 열도 좋아요.",
    predict: "예측",
    predictions: "예측 결과",
    tableHere: "예측 결과가 복사할 수 있는 표로 나타나요.",
    low: "하한",
    high: "상한",
    copy: "표 복사",
    copied: "복사했어요. 스프레드시트에 붙여 넣으세요.",
    keyTitle: "이 서비스에는 키가 필요해요",
    keyWhy: "키는 이 탭을 닫을 때까지만 보관하고, 이 서비스에만 보내요.",
    key: "API 키",
    keyRefused: "이 키로는 열 수 없어요.",
    open: "열기",
    notHours: "공부 시간을 4처럼 숫자로 입력하세요.",
    noHours: "공부 시간을 하나 이상 붙여 넣으세요.",
    notNumber: (place, value) => `${place}번째 값이 “${value}”예요. 2.5처럼 숫자로 적어 주세요.`,
    swapped: (time) => `${time}에 새 모델로 바뀌었어요. 지금 보이는 것이 새 모델이에요.`,
    silent: "서비스가 응답하지 않아요. 계속 다시 연결해 볼게요.",
    problems: {
      greater_than_equal: "공부 시간은 0 이상이어야 해요.",
      less_than_equal: "공부 시간은 8784(1년의 시간) 이하여야 해요.",
      too_long: "한 번에 10,000개까지 예측할 수 있어요.",
    },
    place: (place, sentence) => `${place}번째 값: ${sentence}`,
  },
};

const $ = (id) => document.getElementById(id);
let language = sessionStorage.language ?? (navigator.language.startsWith("ko") ? "ko" : "en");
let T = TEXTS[language];
